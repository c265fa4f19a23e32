// How many processes a run gets, with how many threads and how much memory each.
import { availableParallelism, freemem, totalmem } from 'node:os'
import type { TaskProfile } from '../dataset/profile.ts'
import type { FitOptions } from './options.ts'

export interface Resources {
  workers: number
  threadsPerWorker: number
  memoryPerWorker: number
  /** V8 heap limit of a worker, MB. */
  heapMb: number
}

/** Main, with its packages and the milestone it is writing. */
const MAIN_BYTES = 250e6
/** Engine, code and buffers of a worker before it holds any data. */
const WORKER_BYTES = 250e6
/** Kinds whose learners are convolutions that use all threads in one product. */
const ONE_WORKER: ReadonlySet<TaskProfile['kind']> = new Set(['image', 'video', 'audio'])

export function availableThreads(options: Pick<FitOptions, 'threads'>): number {
  return Math.max(1, options.threads ?? availableParallelism())
}

export function memoryLimit(options: Pick<FitOptions, 'memoryBytes'>): number {
  return options.memoryBytes ?? Math.max(1e9, Math.min(0.75 * freemem(), 0.5 * totalmem()))
}

export function planResources(
  options: Pick<FitOptions, 'workers' | 'threads' | 'memoryBytes'>,
  profile: TaskProfile,
): Resources {
  const threads = availableThreads(options)
  const memory = memoryLimit(options)
  // A worker that may not hold the decoded data twice over would only get in the others' way.
  const affordable = Math.max(1, Math.floor((memory - MAIN_BYTES) / (WORKER_BYTES + 2 * profile.trainBytes)))
  const wanted = ONE_WORKER.has(profile.kind) ? 1 : Math.min(2, threads)
  const workers = options.workers ?? Math.min(wanted, affordable)
  return {
    workers,
    threadsPerWorker: Math.max(1, Math.floor(threads / workers)),
    memoryPerWorker: Math.max(64e6, (memory - MAIN_BYTES) / workers - WORKER_BYTES),
    heapMb: Math.round(Math.max(256, Math.min(4096, (memory - MAIN_BYTES) / workers / 2e6))),
  }
}
