/** Ways in which a process is told to end. */

/**
 * On the first SIGTERM or SIGINT, and when the npm that started the process ends; a second signal ends the process at once.
 * @param work what is done before the process ends. It ends then, with exit code 0. @param onTold is told what came.
 * @returns the same for whoever wants it to end otherwise.
 */
export function leaveOnce(
  work: () => Promise<void>,
  onTold: (why: { readonly [fact: string]: string }) => void,
): () => Promise<void> {
  let leaving = false
  let signalled = false
  const leave = async () => {
    if (leaving) return
    leaving = true
    await work()
    process.exit(0)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) process.exit(1)
    // A terminal's Ctrl-C goes to every process: a worker may have heard of it from the first process already.
    signalled = true
    if (!leaving) onTold({ signal })
    void leave()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  onNpmEnd(() => {
    if (!leaving) onTold({ reason: 'npm has ended' })
    void leave()
  })
  return leave
}

const lookMs = 500

/**
 * Tells when the npm that runs this process as one of the package's scripts has ended. npm hands a signal to its shell, and the
 * shell ends without handing it on: the process would live on by itself, and keep its ports.
 */
export function onNpmEnd(leave: () => void): void {
  if (process.env.npm_package_name !== 'plantain') return
  const shell = process.ppid
  setInterval(() => {
    if (process.ppid !== shell) leave()
  }, lookMs).unref()
}
