/** OpenAI's images API: https://platform.openai.com/docs/api-reference/images */
export { encodeError } from './errors.ts'
export { createEvents, decodeEvent } from './events.ts'
export { typedFormValue } from './fields.ts'
export { decodeRequest, encodeResult } from './inbound.ts'
export { createOutbound } from './outbound.ts'
export { encodeRelay, type RelayedCall, type RelayedForm } from './relay.ts'
export { observe } from './result.ts'
export { wantedOfCall } from './wanted.ts'
