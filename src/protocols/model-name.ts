/** What a model's name can look like: it becomes part of a path at the upstream, and stands in headers and in the log. */

const pattern = /^[A-Za-z0-9][A-Za-z0-9._@-]*(?:\/[A-Za-z0-9][A-Za-z0-9._@-]*)*$/
const longest = 256

/** No dots that climb, no colon, query or encoding, nothing but plain ASCII: vendors have no other names. */
export const isModelName = (name: string): boolean => name.length <= longest && pattern.test(name)
