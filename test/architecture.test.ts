/** The floors of the house, held against the imports that are really there: ARCHITECTURE.md says what each floor is for. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const src = join(import.meta.dirname, '../src')

/** What stands directly in src/ and the starts of the sandbox are told by their whole name, everything else by its folder. */
const floors: Readonly<Record<string, number>> = {
  'main.ts': 7,
  'process.ts': 6,
  'commands.ts': 6,
  'sandbox/main.ts': 6,
  'app.ts': 5,
  'bookkeeping.ts': 4,
  workers: 5,
  'candidates.ts': 4,
  'counting.ts': 4,
  'offer.ts': 4,
  'pictures.ts': 4,
  'engine.ts': 5,
  'greeting.ts': 5,
  'leaving.ts': 5,
  'listening.ts': 5,
  http: 4,
  admin: 4,
  gateway: 3,
  protocols: 2,
  upstreams: 2,
  limits: 2,
  references: 2,
  assets: 2,
  sandbox: 2,
  telemetry: 2,
  usage: 2,
  streams: 1,
  memory: 1,
  net: 1,
  redis: 1,
  pixels: 1,
  config: 1,
  models: 1,
  dialects: 1,
  images: 0,
}

/** Each library's one door: the rooms that may ask it. */
const doors: Readonly<Record<string, readonly RegExp[]>> = {
  fastify: [/^http\//, /^admin\//, /^app\.ts$/, /^listening\.ts$/],
  '@fastify/multipart': [/^http\//],
  undici: [/^net\//],
  ioredis: [/^redis\//],
  aws4fetch: [/^assets\//],
  sharp: [/^pixels\//],
  'prom-client': [/^telemetry\//],
  pino: [/^telemetry\//],
  zod: [/^config\//, /^models\//, /^protocols\/[a-z]+\/(?:(?:[a-z]+-)?wire|proto-schema)\.ts$/],
  'google-auth-library': [/^upstreams\//],
  yaml: [/^config\//, /^models\//],
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts'))
  .toSorted()
const imports = files.flatMap(importsOf)
const inside = imports.filter(({ to }) => !to.startsWith('node:') && files.includes(to))
const outside = imports.filter(({ to }) => !to.startsWith('node:') && !files.includes(to))

/** Statements, types' ones and `import()` alike. */
function importsOf(from: string): readonly Import[] {
  const text = readFileSync(join(src, from), 'utf8')
  const specifiers = text.matchAll(
    /^\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  )
  return [...specifiers].flatMap(([, a, b, c]) => {
    const specifier = a ?? b ?? c
    if (specifier === undefined) return []
    return { from, to: specifier.startsWith('.') ? relative(src, join(src, dirname(from), specifier)) : specifier }
  })
}

const roomOf = (path: string) => (path in floors ? path : (path.split('/')[0] ?? path))
const floorOf = (path: string) => floors[roomOf(path)]
const shown = ({ from, to }: Import) => `${from} → ${to}`

describe('the floors', () => {
  test('every file stands on one', () => {
    expect(files.filter(path => floorOf(path) === undefined)).toEqual([])
  })

  test('imports are found: each file but the lowest ones has some', () => {
    expect(inside.length).toBeGreaterThan(files.length)
  })

  test('imports only go down', () => {
    const upward = inside.filter(({ from, to }) => (floorOf(to) ?? 9) > (floorOf(from) ?? -1))
    expect(upward.map(shown)).toEqual([])
  })

  test('folders of one floor do not know each other', () => {
    const sideward = inside.filter(({ from, to }) => roomOf(from) !== roomOf(to) && floorOf(from) === floorOf(to))
    expect(sideward.map(shown)).toEqual([])
  })

  test('the protocols do not know each other: a third one is a folder and a line', () => {
    const protocol = (path: string) => /^protocols\/([a-z]+)\//.exec(path)?.[1]
    const across = inside.filter(({ from, to }) => {
      const [one, other] = [protocol(from), protocol(to)]
      return one !== undefined && other !== undefined && one !== other
    })
    expect(across.map(shown)).toEqual([])
  })

  test('no file imports itself in a ring', () => {
    expect(rings()).toEqual([])
  })
})

test('every library has one door', () => {
  const strangers = outside.filter(({ from, to }) => !doors[to]?.some(door => door.test(from)))
  expect(strangers.map(shown)).toEqual([])
})

test('nothing is exported by default', () => {
  const statement = /^\s*export\s+(?:default\b|\{[^}]*\bas\s+default\b)/m
  expect(files.filter(path => statement.test(readFileSync(join(src, path), 'utf8')))).toEqual([])
})

test('every file opens with what it is for', () => {
  expect(files.filter(path => !readFileSync(join(src, path), 'utf8').startsWith('/**'))).toEqual([])
})

test('only a protocol has an index', () => {
  expect(files.filter(path => path.endsWith('index.ts'))).toEqual([
    'protocols/gemini/index.ts',
    'protocols/openai/index.ts',
  ])
})

describe('both protocols have the same rooms', () => {
  const rooms = ['errors.ts', 'inbound.ts', 'index.ts', 'outbound.ts', 'wire.ts']

  test.each(['openai', 'gemini'])('%s', name => {
    const there = files.flatMap(path =>
      dirname(path) === `protocols/${name}` ? [path.slice(dirname(path).length + 1)] : [],
    )
    expect(rooms.filter(room => !there.includes(room))).toEqual([])
  })
})

/** Files that lead back to themselves, one line for each import that closes a ring. */
function rings(): readonly string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const { from, to } of inside) if (from === path) visit(to, [...trail, path])
    done.add(path)
  }
  for (const path of files) visit(path, [])
  return found
}
