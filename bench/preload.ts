/** Loaded into the gateway and into the pipe alike (`--import`): measures the delay of their event loop when the run asks. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { answerRun } from './talk.ts'

// One sample each millisecond, and only while asked: the timer itself would show in the CPU figures.
const delay = monitorEventLoopDelay({ resolution: 1 })

answerRun({
  startDelay: () => {
    delay.reset()
    delay.enable()
  },
  /** Ends the measurement: the 99th percentile in milliseconds. */
  stopDelay: () => {
    delay.disable()
    return delay.percentile(99) / 1e6
  },
})

// The measured program decides when it ends, not this listener.
process.channel?.unref()
