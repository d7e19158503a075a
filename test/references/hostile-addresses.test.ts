/** Addresses that would lead into the operator's own network: no connection is ever made for one, through any field that takes a URL. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask } from '../helpers/callers.ts'
import { postForm } from '../helpers/forms.ts'
import { countConnections, type Listener, type Surroundings, startSurroundings } from './setup.ts'

/** Nothing is allowed beyond the defaults. */
let closed: Surroundings
/** The host of pictures may be asked, and redirects. */
let open: Surroundings
let listener: Listener

beforeAll(async () => {
  ;[closed, open, listener] = await Promise.all([
    startSurroundings({ allowed: false }),
    startSurroundings({ references: { timeoutSeconds: 3 } }),
    countConnections(),
  ])
})
afterAll(async () => {
  listener.close()
  await Promise.all([closed.close(), open.close()])
})
beforeEach(() => {
  listener.connections = 0
  open.host.seen.length = 0
})

/** `P` stands for the listener's port. */
const thisMachine = [
  'http://127.0.0.1:P/',
  'https://127.0.0.1:P/',
  'HTTPS://127.0.0.1:P/',
  'http://localhost:P/',
  'http://localhost.:P/',
  'http://LOCALHOST:P/',
  'http://a.localhost:P/',
  'http://127.1:P/',
  'http://127.0.1:P/',
  'http://0x7f.1:P/',
  'http://0x7f000001:P/',
  'http://0177.0.0.1:P/',
  'http://0177.0.0.01:P/',
  'http://2130706433:P/',
  'http://0.0.0.0:P/',
  'http://0:P/',
  'http://127.0.0.1.:P/',
  'http://①②⑦.⓪.⓪.①:P/',
  'http://127。0。0。1:P/',
  'http://%31%32%37.0.0.1:P/',
  'http://[::1]:P/',
  'http://[::]:P/',
  'http://[0:0:0:0:0:0:0:1]:P/',
  'http://[::ffff:127.0.0.1]:P/',
  'http://[::ffff:7f00:1]:P/',
  'http://[::7f00:1]:P/',
  'http://[::127.0.0.1]:P/',
  'http://[64:ff9b::7f00:1]:P/',
  'http://[2002:7f00:1::]:P/',
  'http://[::1%25lo]:P/',
  'http://[::1%lo]:P/',
]

const insideNetworks = [
  'https://169.254.169.254/latest/meta-data/',
  'http://169.254.169.254/',
  'https://0xa9fea9fe/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://[fd00:ec2::254]/',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://metadata.google.internal./',
  'https://168.63.129.16/',
  'https://100.100.100.200/',
  'https://10.0.0.1/',
  'https://192.168.0.1/',
  'https://172.16.0.1/',
  'https://[fe80::1]/',
  'https://redis/',
  'https://kubernetes.default.svc.cluster.local/',
]

const tricks = [
  'http://good.example@127.0.0.1:P/',
  'https://user:password@127.0.0.1:P/',
  'https://good.example#@127.0.0.1:P/',
  'http://127.0.0.1:P\\@good.example/',
  'http:\\\\127.0.0.1:P\\',
  'http:127.0.0.1:P',
  'http:/127.0.0.1:P/',
  'https:///127.0.0.1:P/',
  '//127.0.0.1:P/',
  ' http://127.0.0.1:P/',
  '\thttp://127.0.0.1:P/',
  'ht\ntp://127.0.0.1:P/',
  'http://127.0.0.1\t:P/',
  'http://127.0.0.1:P/\r\nhost: good.example',
  'http://127.0.0.1:P/\u0000',
  'https://exаmple.invalid/',
  'https://a.invalid:99999/',
  'https://',
  'https://[',
  `https://a.invalid/${'x'.repeat(5000)}`,
  'file:///etc/passwd',
  'gopher://127.0.0.1:P/',
  'ftp://127.0.0.1:P/',
  'ws://127.0.0.1:P/',
  'javascript:alert(1)',
  'blob:http://127.0.0.1:P/1',
  'data:text/html,<b>hi</b>',
  'unix:///run/docker.sock',
  'view-source:http://127.0.0.1:P/',
]

const address = (text: string) => text.replace('P', String(listener.port))

type Ask = (
  gateway: Surroundings['gateway'],
  url: string,
) => Promise<{ readonly status: number; readonly text: string }>
const json =
  (path: string, bodyOf: (url: string) => object): Ask =>
  (gateway, url) =>
    ask(gateway, path, { prompt: 'x', ...bodyOf(url) })

const fields: readonly (readonly [string, Ask])[] = [
  ['image', json('/v1/images/generations', url => ({ image: url }))],
  ['image: a list', json('/v1/images/edits', url => ({ image: [url] }))],
  ['images[].image_url', json('/v1/images/edits', url => ({ images: [{ image_url: url }] }))],
  ['images[].image_url.url', json('/v1/images/edits', url => ({ images: [{ image_url: { url } }] }))],
  ['images[].url', json('/v1/images/edits', url => ({ images: [{ url }] }))],
  ['image_urls', json('/v1/images/generations', url => ({ image_urls: [url] }))],
  ['input_references', json('/v1/images/generations', url => ({ input_references: [{ image_url: { url } }] }))],
  [
    'image of a form',
    async (gateway, url) => {
      const parts = [
        { name: 'prompt', value: 'x' },
        { name: 'image', value: url },
      ]
      const response = await postForm(`${gateway.url}/v1/images/edits`, parts)
      return { status: response.status, text: await response.text() }
    },
  ],
]

describe.each(fields)('%s', (_name, send) => {
  test.each([
    ['this machine in every spelling', thisMachine],
    ['networks inside', insideNetworks],
    ['tricks', tricks],
  ])('%s: 400, and nobody is called', async (_what, addresses) => {
    const answers = await Promise.all(
      addresses.map(async sent => ({ sent, ...(await send(closed.gateway, address(sent))) })),
    )
    expect(answers.filter(({ status }) => status !== 400)).toEqual([])
    expect(answers.filter(answer => !answer.text.includes('invalid_image'))).toEqual([])
    expect([listener.connections, closed.upstream.seen.length]).toEqual([0, 0])
  })
})

test('who may not be asked is answered with one sentence, whether somebody listens there or not', async () => {
  const addresses = ['http://127.0.0.1:P/', 'https://127.0.0.1:9/', ...insideNetworks]
  const answers = await Promise.all(
    addresses.map(text => ask(closed.gateway, '/v1/images/generations', { prompt: 'x', image: address(text) })),
  )
  expect(new Set(answers.map(({ text }) => text))).toHaveLength(1)
})

test('a redirect from where one may ask to where one may not is not followed', async () => {
  for (const text of [...thisMachine, ...insideNetworks, ...tricks.slice(0, 9)]) {
    open.host.script = (_request, response) => {
      // Not every spelling is one for a header: bytes as they are.
      response.socket?.end(`HTTP/1.1 302 Found\r\nlocation: ${address(text)}\r\ncontent-length: 0\r\n\r\n`)
    }
    const { status } = await ask(open.gateway, '/v1/images/generations', {
      prompt: 'x',
      image: `${open.host.url}/a.png`,
    })
    expect([text, status]).toEqual([text, 400])
  }
  expect(listener.connections).toBe(0)
  expect(open.upstream.seen).toHaveLength(0)
})

test('with an allow-list, the public internet is not asked either', async () => {
  const only = await startSurroundings({ references: { fetch: 'allow-list' } })
  try {
    for (const image of ['https://1.1.1.1/', 'https://images.example.com/a.png', address('http://127.0.0.1:P/')]) {
      expect((await ask(only.gateway, '/v1/images/generations', { prompt: 'x', image })).status).toBe(400)
    }
    expect(listener.connections).toBe(0)
  } finally {
    await only.close()
  }
})
