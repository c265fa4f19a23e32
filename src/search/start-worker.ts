// Forks a worker process. Kept tiny and nearly free of imports from the project: the command line calls it before anything else is
// loaded, so that the worker's own start-up overlaps with parsing arguments and loading packages here.
import { type ChildProcess, fork } from 'node:child_process'
import { bundleEntry } from '../support/bundle-entry.ts'

export interface WorkerProcess {
  child: ChildProcess
  /** The worker's entry file. */
  entry: string
  /** Whether it said on its way out that its JavaScript heap was full. */
  heapIsFull(): boolean
  /** Why it could not be started or reached; null: it could so far. */
  failed(): Error | null
}

export interface StartOptions {
  /** Upper limit of the worker's JavaScript heap, MB. @default node's own */
  heapMb?: number
  /** @default worker.js beside the running bundle */
  entry?: string
}

/** How V8 begins the page that it prints before it ends a process whose heap is full. */
const HEAP_PAGE = /<--- Last few GCs --->|heap out of memory/

/** The worker waits for its first message. Whoever calls this ends it. */
export function startWorker(options: StartOptions = {}): WorkerProcess {
  const entry = options.entry ?? bundleEntry('worker.js', import.meta.url)
  const child = fork(entry, [], {
    serialization: 'advanced',
    execArgv: options.heapMb === undefined ? [] : [`--max-old-space-size=${options.heapMb}`],
    // A worker says what it has to say in messages; its stderr is for crashes of native code, which are passed on.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let failure: Error | null = null
  child.on('error', (error) => {
    failure ??= error
  })
  let heapIsFull = false
  child.stderr?.on('data', (piece: Buffer) => {
    heapIsFull ||= HEAP_PAGE.test(piece.toString())
    if (!heapIsFull) process.stderr.write(piece)
  })
  return { child, entry, heapIsFull: () => heapIsFull, failed: () => failure }
}
