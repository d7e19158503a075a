/** Google's `:method` routes: relayed where the upstream speaks Google's language and can do what is asked, else translated. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.ts'
import type { ModelChoice } from '../gateway/routing.ts'
import type { Room } from '../memory/room.ts'
import { asksForMany, checkCall, type Method, picturesAt } from '../protocols/gemini/index.ts'
import { readJson } from './body.ts'
import type { CallsRelay } from './calls-relay.ts'
import { mediaTypeOf, unreadType } from './content-type.ts'
import { splitUrl } from './envelope.ts'
import { relayOrTranslate } from './other-form.ts'
import type { Serve } from './serve.ts'
import type { Translate } from './translate.ts'

export interface CallsParts {
  readonly serve: Serve
  readonly gateway: Pick<Gateway, 'choose'>
  readonly room: Room
  readonly maxBodyBytes: number
  readonly relay: CallsRelay
  readonly translate: Translate
  /** Has the operator named this address's host? Outside this network, nobody may be able to reach it. */
  readonly isAllowed: (url: string) => boolean
}

export type CallsHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  method: Method,
  model: string,
) => Promise<void>

export function createCallsHandler(parts: CallsParts): CallsHandler {
  const { serve, gateway, room, maxBodyBytes, relay, translate, isAllowed } = parts
  return (request, reply, method, model) =>
    serve(request, reply, 'gemini', method, async conversation => {
      const { exchange, message } = conversation
      const type = mediaTypeOf(request)
      if (type !== 'application/json') throw unreadType(type, 'application/json')
      const body = await readJson(message, { maxBytes: maxBodyBytes, room, signal: exchange.signal })
      exchange.record.bytesIn = body.length
      try {
        checkCall(body.value)
        const sse = splitUrl(message.url ?? '/').query.get('alt') === 'sse'
        const choice = gateway.choose(exchange, model)
        const takers = takersOf(method, choice.candidates, body.value)
        if (method === 'predict' || !canRelay(method, choice, takers, body.value)) {
          return await translate(conversation, choice, { method, sse, body })
        }
        return await relayOrTranslate(conversation, {
          // An estimate is no substitute for a count.
          candidates: method === 'countTokens' ? takers : choice.candidates,
          takers,
          isKept: true,
          relay: (candidates, isLast) =>
            relay(conversation, { ...choice, candidates }, { method, sse, body, goesOn: !isLast }),
          translate: candidates => translate(conversation, { ...choice, candidates }, { method, sse, body }),
        })
      } finally {
        body.release()
      }
    })

  /** The best upstream decides; one of another protocol further down the list is no reason to read and write the call anew. */
  function canRelay(
    method: Method,
    { candidates: [best] }: ModelChoice,
    [taker]: ModelChoice['candidates'],
    body: unknown,
  ): boolean {
    if (best === undefined || best !== taker) return false
    if (method === 'countTokens') return true
    return !asksForMany(body) && !picturesAt(body).some(isAllowed)
  }
}

/** Those that can be called so in Google's language: a vendor may have no streams, count no tokens, read no addresses or make one type of file. */
const takersOf = (method: Method, candidates: ModelChoice['candidates'], body: unknown) =>
  candidates.filter(({ protocol, dialect, outbound }) => {
    if (protocol !== 'gemini') return false
    if (method === 'countTokens') return dialect.countsTokens
    if (method === 'streamGenerateContent' && !dialect.streams) return false
    return outbound.passes?.('generate', { kind: 'json', value: body }, '') ?? true
  })
