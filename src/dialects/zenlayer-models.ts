/** The models of Zenlayer's gateway, the same in both of its forms. */

/** Our ids → its names. */
export const zenlayerNames: ReadonlyMap<string, string> = new Map([
  ['gemini-2.5-flash-image', 'gemini-2.5-flash-image'],
  ['gemini-3-pro-image', 'gemini-3-pro-image-preview'],
  ['gemini-3.1-flash-image', 'gemini-3.1-flash-image-preview'],
])

/** Reference pictures at most, where its document states a number. */
export const zenlayerReferences: ReadonlyMap<string, number> = new Map([
  ['gemini-2.5-flash-image', 3],
  ['gemini-3-pro-image', 14],
])
