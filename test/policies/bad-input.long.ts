/** The same bad input in front of every vendor: what is wrong is wrong whoever paints, and nobody is called for it. */
import { expect, test } from 'vitest'
import { ask } from '../helpers/callers.ts'
import { startGateway } from '../helpers/gateway.ts'
import { startUpstream } from '../helpers/scripted-upstream.ts'
import { wrongExtras, wrongGenerations, wrongPaintings, wrongPredictions } from './wrong-calls.ts'

const flash = 'gemini-3.1-flash-image'
const paintings = [...wrongPaintings(flash), ...wrongExtras(flash), ...wrongPredictions(flash)]
// Of OpenAI's own form only what no relay passes on. Its models paint any ratio up to three to one.
const gptImages = [
  ...wrongExtras('gpt-image-2'),
  ...wrongPredictions('gpt-image-2'),
  ...wrongGenerations('gpt-image-2'),
].filter(({ title }) => !title.endsWith('"7:5"'))
const all = [...paintings, ...wrongGenerations(flash)]

const vendors = [
  { protocol: 'gemini', dialect: 'google', calls: paintings },
  { protocol: 'gemini', dialect: 'vertex', calls: paintings },
  { protocol: 'gemini', dialect: 'zenlayer', calls: paintings },
  { protocol: 'openai', dialect: 'zenlayer', calls: all },
  { protocol: 'openai', dialect: 'nano-banana', calls: all },
  // It searches the web, and says so in the same words.
  { protocol: 'openai', dialect: 'aimlapi', calls: all.filter(({ title }) => title !== 'tools: {"googleSearch":{}}') },
  { protocol: 'openai', dialect: 'openai', calls: gptImages },
  { protocol: 'openai', dialect: 'azure', calls: gptImages },
] as const

test.each(vendors)('$dialect, $protocol’s form', async ({ protocol, dialect, calls }) => {
  const upstream = await startUpstream((_request, response) => void response.writeHead(500).end())
  const baseUrl = `${upstream.url}${protocol === 'openai' ? '/v1' : ''}`
  const upstreamConfig = { name: dialect, protocol, dialect, baseUrl } as const
  const gateway = await startGateway({ upstream: baseUrl, upstreamConfig })
  const unlike: unknown[] = []
  for (const { title, path, body, field } of calls) {
    const { status, json } = await ask(gateway, path, body)
    const named = json.error?.param ?? json.error?.details?.[0]?.fieldViolations?.[0]?.field
    // Where a vendor takes no pictures at all, that is said of the field they stand in.
    const isNamed = typeof named === 'string' && (isPlaceIn(field, named) || isPlaceIn(named, field))
    if (status < 400 || status >= 500 || !isNamed || upstream.seen.length > 0) unlike.push([title, status, named])
    upstream.seen.length = 0
  }
  expect(unlike).toEqual([])
  await gateway.close()
  await upstream.close()
})

const isPlaceIn = (place: string, field: string) =>
  place === field || (/^[[.]/.test(place.slice(field.length)) && place.startsWith(field))
