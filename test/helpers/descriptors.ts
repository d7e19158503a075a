/** What this process has open, from the system's own list: a leak does not show in the gateway's gauges. */
import { readdirSync, readlinkSync } from 'node:fs'

/** What every descriptor leads to: a path, `socket:[…]`, `pipe:[…]`. A file without a name is called `… (deleted)`. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap(descriptor => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)]
    } catch {
      return [] // The one that the list was read with.
    }
  })
}

export const openFilesIn = (directory: string): string[] =>
  openDescriptors().filter(target => target.startsWith(directory))

export const openSockets = (): number => openDescriptors().filter(target => target.startsWith('socket:')).length

/** Waits until something is so; what closes, closes some turns of the loop later. */
export async function eventually(isSo: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<boolean> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    if (await isSo()) return true
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return isSo()
}
