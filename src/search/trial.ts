// A trial as main sees it: what it is, how far it got, how good it was. The learner itself lives in a worker.
import type { HyperParams } from '../families/family.ts'
import type { CurvePoint } from './forecast.ts'

export type TrialStatus = 'new' | 'paused' | 'running' | 'finished' | 'failed' | 'stopped'

export interface Trial {
  id: string
  family: string
  params: HyperParams
  tuner: string
  status: TrialStatus
  /** The worker that holds its state; null: none, any can start it. */
  worker: number | null
  /** Time it was given, in the schedule's unit. */
  spent: number
  slices: number
  /** Of validated candidates. */
  curve: CurvePoint[]
  /** Best objective; null before the first validated candidate. */
  best: number | null
  /** What the blend gained by it. */
  gained: number
  /** It learns for as long as it may. */
  openEnded: boolean
  /** Share of the training rows that it learned from, where only a fit on all of them is left to do; else null. */
  taughtShare: number | null
  /** Last progress: units of `of`. */
  units: number
  of: number | null
}

export function newTrial(id: string, family: string, params: HyperParams, tuner: string): Trial {
  return {
    id,
    family,
    params,
    tuner,
    status: 'new',
    worker: null,
    spent: 0,
    slices: 0,
    curve: [],
    best: null,
    gained: 0,
    openEnded: false,
    taughtShare: null,
    units: 0,
    of: null,
  }
}

/** `t0007` */
export function trialId(index: number): string {
  return `t${String(index).padStart(4, '0')}`
}

export function addScore(trial: Trial, spent: number, objective: number): void {
  trial.curve.push({ spent, objective })
  if (trial.best === null || objective > trial.best) trial.best = objective
}
