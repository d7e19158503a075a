/** One of several processes that want the secret of a folder at the same moment. */
import { sharedSecret } from '../../src/assets/secret.ts'

const [directory = '', atMs = '0'] = process.argv.slice(2)
while (Date.now() < Number(atMs)) {
  // All begin in the same millisecond.
}
process.stdout.write(sharedSecret(directory))
