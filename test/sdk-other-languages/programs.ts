/** Runs a program in a folder of its own that has two pictures in it, and looks at what it leaves there. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { green, magenta, pictureOf } from '../sdk/setup.ts'
import { type GatewayProcess, type Settings, startGatewayProcess } from './gateway-process.ts'
import { run } from './tools.ts'

export interface Workshop {
  readonly folder: string
  file(name: string): Promise<Buffer>
  /** @returns what the program printed, read as JSON. */
  run(command: string, ...args: string[]): Promise<unknown>
  close(): Promise<void>
}

const key = 'the-callers-key'

/** The programs find the gateway's address and their key in PLANTAIN_URL and PLANTAIN_KEY. */
export async function openWorkshop(settings: Settings = {}): Promise<Workshop> {
  const gateway: GatewayProcess = await startGatewayProcess(key, settings)
  const folder = await mkdtemp(join(tmpdir(), 'plantain-program-'))
  await writeFile(join(folder, 'magenta.png'), await pictureOf(magenta))
  await writeFile(join(folder, 'green.jpg'), await pictureOf(green, 'jpeg'))
  const env = { PLANTAIN_URL: gateway.url, PLANTAIN_KEY: key }
  return {
    folder,
    file: name => readFile(join(folder, name)),
    run: async (command, ...args) => JSON.parse(await run(command, args, { cwd: folder, env })),
    close: async () => {
      await gateway.stop()
      await rm(folder, { recursive: true })
    },
  }
}
