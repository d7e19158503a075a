/** What Linux says about a process and its children: CPU seconds of all threads, memory now and at its highest. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** CPU milliseconds (user and system) of all threads of the process and of its children (nginx works in one). */
export function cpuMs(pid: number): number {
  return family(pid).reduce((sum, member) => sum + ownCpuMs(member), 0)
}

/** Memory in RAM now, in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS')
}

/** The most memory in RAM since the start or since `resetPeak`, in bytes. */
export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM')
}

/** Begins a new peak at what is in RAM now. */
export function resetPeak(pid: number): void {
  // 5: "reset the peak resident set size to the process's current value" (man 5 proc).
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

// schedstat counts nanoseconds on the CPU; utime and stime of /proc/<pid>/stat, the same clock, are cut to 10 ms.
function ownCpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map(thread => {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return Number(onCpu)
  })
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6
}

/** The process and its children, and theirs. */
export function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(family)]
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}.`)
  return Number(kilobytes) * 1024
}
