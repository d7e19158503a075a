/** Google's generateContent: https://ai.google.dev/api/generate-content */
export { countTokens } from './count.ts'
export { encodeError } from './errors.ts'
export { createEvents } from './events.ts'
export { type AnswerFacts, decodeRequest, encodeRefusal, encodeResult } from './inbound.ts'
export { createOutbound, observe } from './outbound.ts'
export { isGooglePath, isMethod, type Method, parseMethodPath, type RelayedMethod } from './path.ts'
export { decodePredict, encodeFiltered, encodePredictions } from './predict.ts'
export { asksForMany, checkCall, encodeRelay } from './relay.ts'
