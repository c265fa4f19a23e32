// Ends this process when its parent is gone. A disconnected channel says so at once, but only to a process whose event loop
// turns; a learner that never yields would outlive a killed run. So a thread of its own looks every half second.
import { Worker } from 'node:worker_threads'

const WATCH = `
  const parent = ${process.ppid}
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, 500)
`

export function watchParent(): void {
  const thread = new Worker(WATCH, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } })
  thread.unref()
  thread.on('error', () => {})
}
