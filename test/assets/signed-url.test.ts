import { expect, test } from 'vitest'
import { createAddressBook } from '../../src/assets/signed-url.ts'
import { newName, publicName } from '../../src/assets/store.ts'

const secret = 'a secret of a test, long enough for one'
const nowSeconds = 1_790_000_000
const book = (options: { now?: number; secret?: string } = {}) =>
  createAddressBook(options.secret ?? secret, () => options.now ?? nowSeconds)
const name = newName('image/png', nowSeconds + 60)
const address = book().addressOf(name)

function read(text: string, reader = book()) {
  const { pathname, searchParams } = new URL(text, 'http://x')
  return reader.read(pathname, searchParams)
}

test('an address leads to the picture it was made for', () => {
  for (const type of ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const) {
    const each = newName(type, nowSeconds + 1)
    expect(read(book().addressOf(each))).toEqual(each)
  }
})

test('every gateway with the same secret can read it, and no other', () => {
  expect(read(address, book())).toEqual(name)
  expect(read(address, book({ secret: `${secret}!` }))).toBeNull()
})

test('it leads nowhere from its last second on', () => {
  expect(read(address, book({ now: name.expiresSeconds - 0.001 }))).toEqual(name)
  expect(read(address, book({ now: name.expiresSeconds }))).toBeNull()
})

test('what else stands in the query makes no difference', () => {
  expect(read(`${address}&utm_source=mail`)).toEqual(name)
})

test('whoever changes one character of it gets nothing', () => {
  const from = '/v1/assets/'.length
  for (let at = from; at < address.length; at++) {
    for (const other of ['0', 'A', '_', '.', '9']) {
      const changed = address.slice(0, at) + other + address.slice(at + 1)
      if (changed !== address) expect(read(changed), changed).toBeNull()
    }
  }
})

const [path = '', query = ''] = address.split('?')
const { exp, sig } = Object.fromEntries(new URLSearchParams(query))
const other = newName('image/png', name.expiresSeconds)

test.each([
  ['no signature', `${path}?exp=${exp}`],
  ['no expiry', `${path}?sig=${sig}`],
  ['an empty signature', `${path}?exp=${exp}&sig=`],
  ['a signature that is cut', `${path}?exp=${exp}&sig=${sig?.slice(0, -1)}`],
  ['a signature that goes on', `${path}?exp=${exp}&sig=${sig}A`],
  ['a padded signature', `${path}?exp=${exp}&sig=${sig}=`],
  ['a later expiry', `${path}?exp=${Number(exp) + 1}&sig=${sig}`],
  ['another spelling of the expiry', `${path}?exp=0${exp}&sig=${sig}`],
  ['an expiry that comes first', `${path}?exp=9999999999&exp=${exp}&sig=${sig}`],
  ['another type', `${path.replace('.png', '.jpg')}?exp=${exp}&sig=${sig}`],
  ['the name of another picture', `/v1/assets/${publicName(other)}?exp=${exp}&sig=${sig}`],
  ['a way out of the folder', `/v1/assets/..%2f${publicName(name)}?exp=${exp}&sig=${sig}`],
  ['a character that ends names in C', `/v1/assets/${publicName(name)}%00?exp=${exp}&sig=${sig}`],
  ['capitals', `${path.toUpperCase()}?exp=${exp}&sig=${sig}`],
  ['another folder', `${path.replace('/v1/', '/v2/')}?exp=${exp}&sig=${sig}`],
])('%s: nothing', (_, changed) => {
  expect(read(changed)).toBeNull()
})
