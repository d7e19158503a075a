/** Where log lines go: a file descriptor written in the background, so that a blocked reader never blocks a request. */
import { write } from 'node:fs'

export interface Sink {
  /** Takes a whole line. What cannot be taken or written is counted, and the count told with the next line that goes through. */
  write(line: string): void
  /** Settles when everything was written or failed, at the latest after `waitMs`. */
  flush(waitMs: number): Promise<void>
}

const retryMs = 50
// Lines of the next few milliseconds go out in one write: one for each took a twentieth of a small answer's CPU.
const gatherMs = 20

/**
 * Standard output's descriptor. Node makes a pipe non-blocking when `process.stdout` is first touched, and that is wanted:
 * a write that blocked would hold a thread, and a process cannot exit before its threads end.
 */
export function standardOutput(): number {
  return process.stdout.fd
}

/**
 * @param fd an open descriptor; it stays open.
 * @param maxBytes what may wait at most, about.
 * @param droppedLine makes the line that tells how many were lost.
 * @param mostAtOnce bytes in one write, unless a single line is longer; absent: no bound.
 */
export function createSink(
  fd: number,
  maxBytes: number,
  droppedLine: (count: number) => string,
  mostAtOnce = Number.POSITIVE_INFINITY,
): Sink {
  let gathering: string[] = []
  let due: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let writing = false
  let flushers: (() => void)[] = []

  const writeGathered = (): void => {
    due = gathering
    gathering = []
    writeDue()
  }

  const writeDue = (): void => {
    const lost = dropped
    dropped = 0
    if (lost > 0) due.unshift(droppedLine(lost))
    const lines = take()
    const text = lines.join('')
    const batch = Buffer.from(text)
    const isAll = due.length === 0 && gathering.length === 0
    waitingBytes = isAll ? batch.length : waitingBytes + batch.length - text.length
    // Where it is lost as well, what it told of is told again.
    writeAll(batch, lost > 0 ? lines.length - 1 + lost : lines.length)
  }

  /** What is written next. */
  const take = (): string[] => {
    const all = due
    if (mostAtOnce === Number.POSITIVE_INFINITY) {
      due = []
      return all
    }
    let [count, bytes] = [0, 0]
    for (const line of all) {
      bytes += Buffer.byteLength(line)
      if (bytes > mostAtOnce && count > 0) break
      count += 1
    }
    return all.splice(0, count)
  }

  const goOn = (): void => {
    if (due.length > 0) writeDue()
    else if (gathering.length > 0) setTimeout(writeGathered, gatherMs)
    else {
      writing = false
      for (const done of flushers) done()
      flushers = []
    }
  }

  const writeAll = (bytes: Buffer, lines: number): void => {
    write(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(writeAll, retryMs, bytes, lines)
        return
      }
      if (error !== null) {
        // A closed pipe or a full disk: the lines are lost, the gateway serves on and tries again with the next one.
        dropped += lines
        waitingBytes -= bytes.length
        goOn()
        return
      }
      waitingBytes -= written
      if (written < bytes.length) writeAll(bytes.subarray(written), lines)
      else goOn()
    })
  }

  return {
    write(line) {
      if (waitingBytes + line.length > maxBytes) {
        dropped += 1
        return
      }
      gathering.push(line)
      waitingBytes += line.length
      if (writing) return
      writing = true
      setTimeout(writeGathered, gatherMs)
    },
    async flush(waitMs) {
      if (!writing) return
      const { promise, resolve } = Promise.withResolvers<void>()
      flushers.push(resolve)
      const timer = setTimeout(resolve, waitMs)
      await promise
      clearTimeout(timer)
    },
  }
}
