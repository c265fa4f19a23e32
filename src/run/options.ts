// What one run is asked to do: resolved and validated by the command line, stored in run.json, never changed afterwards.

import type { WorkerProcess } from '../search/start-worker.ts'
import type { StampedEvent } from './events.ts'

export const SEARCHES = ['auto', 'portfolio', 'random', 'evolution', 'reinforce'] as const
export type SearchName = (typeof SEARCHES)[number]

export interface FitOptions {
  /** Dataset folder: `<name>`, `<name>.data`, or a folder with train/ and test/. */
  data: string
  /** Run folder; created when it does not exist. */
  out: string
  /** Counted from process start. With `resume`: of all sessions together. @default 20 min, the challenge's own */
  budgetMs: number
  /** @default 0 */
  seed: number
  /** @default 'auto' */
  engine: 'auto' | 'onnx' | 'tfjs'
  /** `auto`, `cpu`, `webgpu`, `cuda`, … as the engine names them. @default 'auto' */
  device: string
  /** Worker processes; null: one with all threads for pictures, audio and video, up to four that share them for the rest. @default null */
  workers: number | null
  /** Threads in all workers together; null: every core. @default null */
  threads: number | null
  /** Memory of all processes together; null: three quarters of what is free at the start. @default null */
  memoryBytes: number | null
  /** Who proposes trials: `auto` is the portfolio, then evolution around the best. @default 'auto' */
  search: SearchName
  /** Only these families; null: all that fit the data. @default null */
  families: string[] | null
  /** Name of the preset that the other options came from, for the record. @default null */
  preset: string | null
  /** Go on from an earlier run in `out`. @default false */
  resume: boolean
  /**
   * Counted mode, for reproducible runs: a slice is this many yields of a trial instead of some milliseconds, and the run ends
   * after `maxSlices` of them. With `workers: 1` the same seed then gives bit-identical predictions. @default null (wall clock)
   */
  sliceSteps: number | null
  maxSlices: number | null
  /** Modules whose `families` export joins the registry: how other packages (and tests) plug in learners. @default [] */
  familyModules: string[]
}

export const FIT_DEFAULTS: Omit<FitOptions, 'data' | 'out'> = {
  budgetMs: 20 * 60_000,
  seed: 0,
  engine: 'auto',
  device: 'auto',
  workers: null,
  threads: null,
  memoryBytes: null,
  search: 'auto',
  families: null,
  preset: null,
  resume: false,
  sliceSteps: null,
  maxSlices: null,
  familyModules: [],
}

/** What ties a run to the process it lives in; nothing here is stored. */
export interface FitHooks {
  onEvent(event: StampedEvent): void
  /** The worker that the command line started before it parsed its arguments; one is started when it is absent. */
  worker?: WorkerProcess
  /** Ends the run early with a whole milestone, like SIGINT. */
  signal?: AbortSignal
}

export interface FitOutcome {
  status: 'done' | 'interrupted'
  /** 0, or 130 when interrupted. */
  exitCode: number
  out: string
  milestones: number
  /** Validation scores of the newest milestone; null when nothing could be validated. */
  nauc: number | null
  accuracy: number | null
  /** Folder of the newest milestone; null when there is none. */
  latest: string | null
  elapsedMs: number
}
