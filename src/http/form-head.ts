/** What the head of a form's part says: RFC 7578, section 4. */

export interface PartHead {
  /** Empty: it says none. */
  readonly name: string
  /** The part is a file. */
  readonly isFile: boolean
  /** Lower case, without parameters; empty: it says none. */
  readonly mediaType: string
  /** Of a text. */
  readonly charset: string
  /** `Content-Transfer-Encoding`. */
  readonly encoding: string
  /** Written as every client writes it: no two readers can take it for different things. */
  readonly isPlain: boolean
}

/** RFC 7578, 4.2: a file should say its name, and need not. `mediaType`: lower case, without parameters. */
export const isFilePart = (hasFileName: boolean, mediaType: string): boolean =>
  hasFileName || mediaType === 'application/octet-stream' || mediaType.startsWith('image/')

// `__proto__` is no field to us, and to some readers the prototype of all fields.
const plainDisposition =
  /^content-disposition: form-data; name="(?!__proto__")[^"\\%]{1,100}"(?:; filename="[^"\\]*")?(?:; filename\*=[^;"]*)?$/i
// Not JSON: it is read for what it says, and others take the quotes of a text for a part of it.
const plainType = /^content-type: (?!application\/json)[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/i
const plainLength = /^content-length: \d+$/i
const parameter = /;\s*([\w*]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g

/** `text`: its lines, without the empty one behind them. */
export function readHead(text: string): PartHead {
  const lines = text === '' ? [] : text.split('\r\n')
  const fields = new Map(lines.map(line => [line.split(':', 1)[0]?.trim().toLowerCase() ?? '', line] as const))
  const disposition = parametersOf(fields.get('content-disposition'))
  const type = textOf(fields.get('content-type'))
  const mediaType = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const hasFileName = disposition.has('filename') || disposition.has('filename*')
  const isFile = isFilePart(hasFileName, mediaType)
  return {
    name: disposition.get('name') ?? '',
    isFile,
    mediaType,
    charset: parametersOf(fields.get('content-type')).get('charset') ?? 'utf-8',
    encoding: textOf(fields.get('content-transfer-encoding')),
    isPlain:
      isFile === hasFileName &&
      fields.size === lines.length &&
      fields.has('content-disposition') &&
      lines.every(isPlainLine),
  }
}

const isPlainLine = (line: string) => plainDisposition.test(line) || plainType.test(line) || plainLength.test(line)

const textOf = (line = '') => line.slice(line.indexOf(':') + 1).trim()

function parametersOf(line = ''): ReadonlyMap<string, string> {
  const found = [...line.matchAll(parameter)]
  return new Map(found.map(([, name = '', quoted, bare = '']) => [name.toLowerCase(), unescaped(quoted) ?? bare]))
}

// Browsers write a quote in a name as %22 (https://html.spec.whatwg.org/#multipart-form-data), older clients with a backslash.
const unescaped = (quoted: string | undefined) => quoted?.replace(/\\(["\\])/g, '$1').replaceAll('%22', '"')
