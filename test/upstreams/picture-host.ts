/** Where vendors that answer with addresses keep the pictures: the same server, under /files. */
import { type Call, json, type Reply, type SeenRequest } from './contract.ts'
import type { Painted, Studio } from './studio.ts'

export const addressOf = ({ url, studio }: Call, picture: Painted): string =>
  `${url}/files/${studio.keep(picture)}.${picture.type.slice('image/'.length)}?signature=fake`

export const lostAddress = ({ url }: Call): string => `${url}/files/000000000000000000000000.png?signature=fake`

const secretHeaders = ['authorization', 'x-goog-api-key', 'api-key', 'cookie'] as const

/** Null: no address of a picture. */
export function servePicture({ method, path, query, headers }: SeenRequest, studio: Studio): Reply | null {
  const [, id] = /^\/files\/([0-9a-f]{24})\.[a-z]+$/.exec(path) ?? []
  if (id === undefined || method !== 'GET') return null
  // Signed addresses of object stores take no second way of proving who one is; and no key has any business there.
  if (query.get('signature') !== 'fake' || secretHeaders.some(name => headers[name] !== undefined)) {
    return json(400, { code: 'InvalidArgument', message: 'Only one auth mechanism allowed' })
  }
  const picture = studio.find(id)
  if (!picture) return { status: 404, headers: { 'content-type': 'text/html' }, pieces: [Buffer.from('<p>Gone</p>')] }
  return { status: 200, headers: { 'content-type': picture.type }, pieces: [picture.bytes] }
}
