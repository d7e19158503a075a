/** A certificate for 127.0.0.1 that signs itself, made anew for each run by the `openssl` program. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

/** Null where there is no openssl. */
export function makeCertificate(dir: string): Certificate | null {
  const [certFile, keyFile] = [join(dir, 'upstream.pem'), join(dir, 'upstream.key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', certFile], {
      stdio: 'ignore',
    })
  } catch {
    return null
  }
  return { certFile, keyFile }
}
