/** Certificates good and bad, made as they are needed: Node reads them but has no way to make one (X.509 v3: RFC 5280, 4.1). */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface CertificateOptions {
  /** The name or the IPv4 address it is for. */
  readonly host: string
  readonly notBefore?: Date
  readonly notAfter?: Date
}

const hourMs = 3_600_000

/** A certificate that signs itself. Absent dates: it holds now. */
export function makeCertificate({ host, notBefore, notAfter }: CertificateOptions): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid('550403'), tlv(0x0c, Buffer.from('plantain test')))))
  const from = notBefore ?? new Date(Date.now() - hourMs)
  const until = notAfter ?? new Date(Date.now() + hourMs)
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(sequence(oid('551d11'), tlv(0x04, sequence(alternativeName(host)))))),
  )
  const signature = sign('sha256', body, privateKey)
  const der = sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.of(0), signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}

/** One DER value: its tag, its length, its content. */
function tlv(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content)
  const { length } = bytes
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), bytes])
}

const sequence = (...content: readonly Buffer[]) => tlv(0x30, ...content)
const set = (...content: readonly Buffer[]) => tlv(0x31, ...content)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return tlv(0x18, Buffer.from(`${digits}Z`))
}

function alternativeName(host: string): Buffer {
  const octets = host.split('.').map(Number)
  return octets.every(Number.isInteger) ? tlv(0x87, Buffer.from(octets)) : tlv(0x82, Buffer.from(host))
}
