/** Google's generateContent: https://ai.google.dev/api/generate-content */
export { encodeError } from './errors.ts'
export { checkCall, encodeRelay } from './inbound.ts'
export { createOutbound, observe } from './outbound.ts'
export { isGooglePath, isMethod, parseMethodPath } from './path.ts'
