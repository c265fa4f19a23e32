// How many processes a run gets, with how many threads and how much memory each.
import type { TaskProfile } from '../dataset/profile.ts'
import {
  type MachineReader,
  memoryLimitOfGroup,
  THIS_MACHINE,
  usableMemory,
  usableThreads,
} from '../support/machine.ts'
import type { FitOptions } from './options.ts'

export interface Resources {
  workers: number
  threadsPerWorker: number
  memoryPerWorker: number
  /** V8 heap limit of a worker, MB. */
  heapMb: number
}

/** Below this hardly anything can be learned: what others hold is then taken to be given up soon. */
const LEAST_BYTES = 1e9
/** Main, with its packages and the milestone it is writing. */
const MAIN_BYTES = 250e6
/** Engine, code and buffers of a worker before it holds any data. */
const WORKER_BYTES = 250e6
/** Trees, linear models and n-grams train on one thread: other cores need trials of their own. But each worker holds its own data. */
export const MOST_WORKERS = 4
/** Of all memory, for worker 0: it begins before anything is known of the data, and keeps what it was given. */
const FIRST_SHARE = 0.5
/** Kinds whose learners are convolutions that use all threads in one product. */
const ONE_WORKER: ReadonlySet<TaskProfile['kind']> = new Set(['image', 'video', 'audio'])

export function availableThreads(options: Pick<FitOptions, 'threads'>, machine: MachineReader = THIS_MACHINE): number {
  return Math.max(1, options.threads ?? usableThreads(machine))
}

/** Of all processes together: three quarters of what is free, half of all at most, but LEAST_BYTES where the machine has them. */
export function memoryLimit(options: Pick<FitOptions, 'memoryBytes'>, machine: MachineReader = THIS_MACHINE): number {
  if (options.memoryBytes !== null) return options.memoryBytes
  const all = memoryLimitOfGroup(machine) ?? machine.totalBytes()
  return Math.max(Math.min(LEAST_BYTES, all), Math.min(0.75 * usableMemory(machine), 0.5 * all))
}

export function planResources(
  options: Pick<FitOptions, 'workers' | 'threads' | 'memoryBytes'>,
  profile: TaskProfile,
): Resources {
  const threads = availableThreads(options)
  const memory = memoryLimit(options)
  // A worker that may not hold the decoded data twice over would only get in the others' way.
  const affordable = Math.max(1, Math.floor((memory - MAIN_BYTES) / (WORKER_BYTES + 2 * profile.trainBytes)))
  const wanted = ONE_WORKER.has(profile.kind) ? 1 : Math.min(MOST_WORKERS, threads)
  const workers = options.workers ?? Math.min(wanted, affordable)
  return {
    workers,
    threadsPerWorker: Math.max(1, Math.floor(threads / workers)),
    memoryPerWorker: Math.max(64e6, memoryOfHelper(memory, workers) - WORKER_BYTES),
    heapMb: heapMb(memoryOfHelper(memory, workers)),
  }
}

/** V8 heap limit of worker 0, MB, as long as nothing is known of the data. */
export function firstHeapMb(options: Pick<FitOptions, 'memoryBytes'>): number {
  return heapMb(memoryLimit(options))
}

/** What worker 0 leaves to each of the others; alone it has all. */
function memoryOfHelper(memory: number, workers: number): number {
  return workers === 1 ? memory - MAIN_BYTES : ((1 - FIRST_SHARE) * memory - MAIN_BYTES) / (workers - 1)
}

/** Half of a process's memory is for what lies outside the heap: features, tensors, the engine's. */
function heapMb(bytes: number): number {
  return Math.round(Math.max(256, Math.min(4096, bytes / 2e6)))
}
