/** Sixteen callers at once, some slow, some who leave: each checks every byte of what it was sent. */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashOf, planOf } from './painter.ts'

export interface Tally {
  /** Answers that came whole, with the right bytes. */
  whole: number
  /** Callers that left while theirs was painted or sent. */
  left: number
  /** What was wrong, in words. */
  readonly wrong: string[]
}

export interface Load {
  readonly url: string
  readonly way: 'translated' | 'relayed'
  readonly answers: number
  readonly callers: number
}

export async function run({ url, way, answers, callers }: Load): Promise<Tally> {
  const agent = new Agent({ keepAlive: true })
  const tally: Tally = { whole: 0, left: 0, wrong: [] }
  const numbers = Array.from({ length: answers }, (_, index) => index).values()
  const caller = async () => {
    for (const index of numbers) {
      if (leaves(index)) {
        await leave(url, agent, way, index)
        tally.left += 1
        continue
      }
      const fault = await check(url, agent, way, index).catch((error: Error) => error.message)
      if (fault === null) tally.whole += 1
      else tally.wrong.push(`${way} ${index}: ${fault}`)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  agent.destroy()
  return tally
}

const leaves = (index: number) => index % 23 === 22
const isSlow = (index: number) => index % 10 === 0

function call(url: string, agent: Agent, way: Load['way'], index: number): ClientRequest {
  const prompt = `paint ${index}`
  const [path, body] =
    way === 'translated'
      ? ['/v1/images/generations', { model: 'gemini-2.5-flash-image', prompt }]
      : ['/v1beta/models/gemini-2.5-flash-image:generateContent', { contents: [{ parts: [{ text: prompt }] }] }]
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return request(url + path, { method: 'POST', agent, headers }).end(text)
}

const answerTo = (sent: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => sent.once('response', resolve).once('error', reject))

/** @returns what is wrong with the answer; null if nothing is. */
async function check(url: string, agent: Agent, way: Load['way'], index: number): Promise<string | null> {
  const answer = await answerTo(call(url, agent, way, index))
  const chunks: Buffer[] = []
  for await (const chunk of answer) {
    chunks.push(chunk)
    if (isSlow(index)) await sleep(1)
  }
  const body = Buffer.concat(chunks)
  if (answer.statusCode !== 200) return `status ${answer.statusCode}: ${body.subarray(0, 300)}`
  const { picture, document, chunked } = planOf(index)
  if (way === 'relayed') {
    if (hashOf([body]) !== hashOf(document)) return `not the bytes that were sent, ${body.length} of them`
    return chunked || answer.headers['content-length'] ? null : 'no length'
  }
  if (Number(answer.headers['content-length']) !== body.length) return 'not the length that was announced'
  const start = body.indexOf('"b64_json":"') + '"b64_json":"'.length
  const end = body.indexOf('"', start)
  if (hashOf([body.subarray(start, end)]) !== hashOf(picture)) return `not the picture, ${end - start} bytes`
  const around = JSON.parse(`${body.subarray(0, start)}${body.subarray(end)}`) as { readonly data: unknown[] }
  return around.data.length === 1 ? null : 'not one picture'
}

/** Leaves before the answer begins, or after some of it. */
async function leave(url: string, agent: Agent, way: Load['way'], index: number): Promise<void> {
  const sent = call(url, agent, way, index)
  sent.on('error', () => {})
  const closed = new Promise(resolve => sent.once('close', resolve))
  if (index % 2) {
    await sleep(index % 9)
  } else {
    const answer = await answerTo(sent)
    answer.on('error', () => {})
    let left = index * 500
    for await (const chunk of answer) {
      left -= chunk.length
      if (left < 0) break
    }
  }
  sent.destroy()
  await closed
}
