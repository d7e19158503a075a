/** Callers of either protocol write a field in one of two spellings. */

/** `imageConfig` → `image_config`; what is spelt so already stays as it is. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
