/** A certificate for 127.0.0.1 that signs itself, made anew for each run out of nothing but Node. */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  /** PEM, both. */
  readonly key: string
  readonly cert: string
}

/** X.509 by hand: RFC 5280, section 4.1, in the DER of X.690. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const signedWith = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const name = sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from('127.0.0.1')))))
  const day = 86_400_000
  const validity = sequence(time(Date.now() - day), time(Date.now() + day))
  const extensions = sequence(
    extension('2.5.29.17', sequence(der(0x87, Buffer.from([127, 0, 0, 1])))), // subjectAltName: iPAddress
    extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff])))), // basicConstraints: a CA, so that it may be trusted
  )
  const toBeSigned = sequence(
    der(0xa0, integer(2)), // version 3
    integer(1),
    signedWith,
    name,
    validity,
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, extensions),
  )
  const certificate = sequence(toBeSigned, signedWith, bits(sign('sha256', toBeSigned, privateKey)))
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const inside = Buffer.concat(content)
  const { length } = inside
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), inside])
}

const sequence = (...content: readonly Buffer[]) => der(0x30, ...content)
const integer = (value: number) => der(0x02, Buffer.from([value]))
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content)
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x04, value))
const time = (atMs: number) =>
  der(0x17, Buffer.from(`${new Date(atMs).toISOString().replace(/\D/g, '').slice(2, 14)}Z`))

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(number: number): number[] {
  const digits = [number & 0x7f]
  for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}
