// The one stream of events of a run: reporters, the journal and tests all read this union. Times are milliseconds since
// process start. `--ui json` prints exactly these, one per line, with `v` (the version) and `t` added.
import type { Kind } from '../dataset/profile.ts'
import type { HyperParams } from '../families/family.ts'

export const EVENT_VERSION = 1

export type RunEvent =
  | {
      type: 'start'
      dataset: string
      data: string
      out: string
      budgetMs: number
      seed: number
      resumed: boolean
      version: string
    }
  | {
      type: 'profile'
      kind: Kind
      reason: string
      trainCount: number
      testCount: number
      classCount: number
      multiLabel: boolean
      warnings: string[]
    }
  /** Where networks train. `reason`: why no longer where they were meant to. */
  | { type: 'device'; engine: string; device: string; threads: number; workers: number; reason?: string }
  | { type: 'trial'; trial: string; family: string; params: HyperParams; tuner: string }
  | {
      type: 'slice'
      trial: string
      worker: number
      startMs: number
      ms: number
      units: number
      of: number | null
      note: string
    }
  | { type: 'score'; trial: string; nauc: number; accuracy: number; loss: number; trainedOn: string }
  | { type: 'trial-end'; trial: string; status: 'finished' | 'failed' | 'stopped'; reason?: string; code?: string }
  | {
      type: 'milestone'
      index: number
      nauc: number | null
      accuracy: number | null
      members: { trial: string; family: string; weight: number }[]
      reason: 'first' | 'better' | 'planned' | 'final' | 'fallback'
    }
  | { type: 'worker'; worker: number; status: 'started' | 'ended' | 'killed'; doing: string; rssBytes: number }
  | { type: 'warning'; message: string }
  | {
      type: 'end'
      status: 'done' | 'interrupted' | 'failed'
      milestones: number
      nauc: number | null
      accuracy: number | null
      reason?: string
    }

/** An event with its time and version, as journal and JSON reporter write it. */
export type StampedEvent = RunEvent & { v: number; t: number }
