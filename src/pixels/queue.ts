/**
 * The line before the encoders: a few pictures at a time, a bounded number of unfolded pixels, and a bounded number of
 * pictures that wait. A place is taken before the call that costs money, so that what was paid for is not turned away.
 */
import { GatewayError } from '../images/error.ts'

export interface PixelQueueParts {
  /** Jobs at a time. Each keeps about one core busy. */
  readonly atOnce: number
  /** Of all jobs that run; a larger job runs alone. A pixel takes 4 to 8 bytes while it is worked on. */
  readonly mostPixels: number
  /** Places in all: of jobs that wait or run, and of pictures that are still being painted upstream. */
  readonly mostPictures: number
}

export interface PixelQueue {
  /** @throws GatewayError `overloaded` where so many places are not free. */
  enter(pictures: number): PixelPlaces
}

/** Places in the line, for one exchange. */
export interface PixelPlaces {
  /**
   * Runs `work` in its turn, first come, first served. `pixels`: unfolded while it lasts.
   * Who leaves while it waits is never begun; what runs is run to its end, and then rejects too.
   * @throws the signal's reason, or what `work` throws.
   */
  run<Result>(pixels: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result>
  /** Gives the places back; may be called again. */
  leave(): void
}

/**
 * Jobs for this machine: one core is left to the byte path, and one of libuv's threads (`UV_THREADPOOL_SIZE`, 4 unless it
 * says otherwise) to files and name look-ups, which would stand behind seconds of encoding else.
 */
export function jobsAtOnce(cores: number, threads: string | undefined): number {
  return Math.max(1, Math.min(cores - 1, (Number(threads) || 4) - 1))
}

// A second or two of encoding lie between a full line and one that is not.
const retryAfterMs = 2000

export function createPixelQueue({ atOnce, mostPixels, mostPictures }: PixelQueueParts): PixelQueue {
  const line: Job[] = []
  let [pictures, running, pixelsInUse] = [0, 0, 0]

  const fits = (pixels: number) => running === 0 || (running < atOnce && pixelsInUse + pixels <= mostPixels)

  function admitNext(): void {
    for (let [first] = line; first && fits(first.pixels); [first] = line) {
      line.shift()
      first.enter()
    }
  }

  const turn = (pixels: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        line.splice(line.indexOf(job), 1)
        reject(signal.reason)
        admitNext()
      }
      const job: Job = {
        pixels,
        enter: () => {
          signal.removeEventListener('abort', leave)
          running += 1
          pixelsInUse += pixels
          resolve()
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      line.push(job)
      admitNext()
    })

  async function run<Result>(pixels: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted()
    await turn(pixels, signal)
    try {
      const result = await work()
      signal.throwIfAborted()
      return result
    } finally {
      running -= 1
      pixelsInUse -= pixels
      admitNext()
    }
  }

  return {
    enter(count) {
      if (pictures + count > mostPictures) {
        const message = 'Too many pictures wait to be converted now. Try again soon.'
        throw new GatewayError('overloaded', message, { retryAfterMs })
      }
      pictures += count
      let held = count
      return {
        run,
        leave: () => {
          pictures -= held
          held = 0
        },
      }
    },
  }
}

interface Job {
  readonly pixels: number
  readonly enter: () => void
}
