/** Every vendor's surface, for tests that go through all of them. */
import { startAimlapi } from './aimlapi.ts'
import { startAzure } from './azure.ts'
import type { FakeUpstream } from './contract.ts'
import { startGoogle } from './google.ts'
import { startNanoBanana } from './nano-banana.ts'
import { startOpenAI } from './openai.ts'
import { startVertex } from './vertex.ts'
import { startZenlayer } from './zenlayer.ts'

export interface Vendor {
  /** As its `FakeUpstream` is named. */
  readonly name: string
  readonly start: () => Promise<FakeUpstream>
  /** A model of this vendor's, by the vendor's own name, that takes at least three references. */
  readonly model: string
  /** It has streams. */
  readonly streams: boolean
}

export const vendors: readonly Vendor[] = [
  { name: 'google', start: startGoogle, model: 'gemini-3.1-flash-image', streams: true },
  { name: 'vertex, express', start: () => startVertex('express'), model: 'gemini-3.1-flash-image', streams: true },
  { name: 'vertex, project', start: () => startVertex('project'), model: 'gemini-3.1-flash-image', streams: true },
  {
    name: 'zenlayer, Gemini form',
    start: () => startZenlayer('gemini'),
    model: 'gemini-3-pro-image-preview',
    streams: false,
  },
  {
    name: 'zenlayer, OpenAI form',
    start: () => startZenlayer('openai'),
    model: 'gemini-3-pro-image-preview',
    streams: false,
  },
  { name: 'nano-banana', start: startNanoBanana, model: 'nano-banana-2', streams: false },
  { name: 'aimlapi', start: startAimlapi, model: 'google/nano-banana-2', streams: false },
  { name: 'openai', start: startOpenAI, model: 'gpt-image-2', streams: true },
  { name: 'azure, deployments', start: () => startAzure('deployments'), model: 'pictures-2', streams: true },
  { name: 'azure, v1', start: () => startAzure('v1'), model: 'pictures-2', streams: true },
]
