// Whose slice is next. A pure function of what is known about the trials, in one unit of time (milliseconds, or yields in the
// counted mode), so that the same past gives the same decision.
// A new trial opens: it goes on until its first validated candidate, or until its patience is over. From then on, the trial,
// the untried portfolio entry or the tuner's proposal with the highest expected gain per unit of time is next
// (freeze-thaw; forecast.ts). The portfolio's first entries open before anything is compared.
import { gainPerTime, gap } from './forecast.ts'
import type { Trial } from './trial.ts'

export interface Situation {
  trials: readonly Trial[]
  worker: number
  /** Time since the run's start and until its last slice must end, in the schedule's unit. */
  now: number
  remaining: number
  /** Best objective so far; null: nothing was validated. */
  best: number | null
  /** Trials whose models are in what is published. */
  published: ReadonlySet<string>
  /** Portfolio entries that were not tried yet, and whether a tuner may have more to propose after them. */
  portfolioLeft: number
  canPropose: boolean
}

export interface Pacing {
  /** A slice is this share of the time since the start... */
  share: number
  /** ...but between these. */
  shortest: number
  longest: number
  /** How long a trial may open before others are tried: at least this, or half of the time since the start. */
  patience: number
  /** The same while nothing was judged yet: what opens first is quick, and until it is judged all are in the dark. */
  firstPatience: number
}

export const CLOCK_PACING: Pacing = { share: 0.15, shortest: 250, longest: 5000, patience: 1500, firstPatience: 8000 }

/** In yields; every slice has the same length, so that the count of slices is the length of the run. */
export function countedPacing(sliceSteps: number): Pacing {
  return {
    share: 0,
    shortest: sliceSteps,
    longest: sliceSteps,
    patience: 20 * sliceSteps,
    firstPatience: 100 * sliceSteps,
  }
}

export type Decision =
  | { kind: 'slice'; trial: Trial; length: number }
  /** Ask the tuners for a trial and give it this slice. */
  | { kind: 'open'; length: number }
  | { kind: 'idle' }

/** Entries opened before gains are compared: the first makes the first prediction, the second is what is known to beat it. */
const OPENED_FIRST = 2
/** The last part of a run, against the time until then, belongs to a network that leads: its rate falls to zero there. */
const LAST_PART = 0.2
/** Examples bring down what is missing to perfection as a power of their number, roughly. */
const ROWS_EXPONENT = 0.3
/** What an untried portfolio entry is hoped to gain, as a share of the distance to perfection; tuned trials gain less. */
const PORTFOLIO_HOPE = 0.15
const TUNER_HOPE = 0.02
/** Tuned trials that the hope for the next one is averaged over. */
const TUNER_MEMORY = 6

export function decide(situation: Situation, pacing: Pacing): Decision {
  const { trials, worker, now, remaining, best } = situation
  if (remaining <= 0) return { kind: 'idle' }
  const length = Math.min(remaining, Math.max(pacing.shortest, Math.min(pacing.longest, pacing.share * now)))
  const ready = trials.filter((trial) => isReady(trial, worker))
  const leader = ready.find((trial) => trial.openEnded && trial.best !== null && trial.best === best)
  if (leader !== undefined && remaining < LAST_PART * now) return { kind: 'slice', trial: leader, length }
  const opening = ready.find((trial) => trial.best === null && trial.spent < patienceFor(now, best, pacing))
  if (opening !== undefined) return { kind: 'slice', trial: opening, length }
  const mayOpen = situation.portfolioLeft > 0 || situation.canPropose
  if (mayOpen && situation.portfolioLeft > 0 && trials.length < OPENED_FIRST) return { kind: 'open', length }

  let next: Trial | null = null
  let value = 0
  for (const trial of ready) {
    const gain = trialValue(trial, situation, pacing, length)
    if (gain > value) {
      next = trial
      value = gain
    }
  }
  if (mayOpen && openingValue(situation, pacing, best ?? 0) > value) return { kind: 'open', length }
  if (next !== null) return { kind: 'slice', trial: next, length }
  // Nothing promises anything: rather the longest-waiting trial than an idle core.
  if (mayOpen && worthOpening(situation, pacing)) return { kind: 'open', length }
  const waiting = [...ready].sort((a, b) => a.spent - b.spent)[0]
  return waiting === undefined ? { kind: 'idle' } : { kind: 'slice', trial: waiting, length }
}

/** Trials that will not be looked at again, worst first: what to drop from memory when only `keep` may stay. */
export function surplus(trials: readonly Trial[], keep: number): Trial[] {
  const held = trials.filter((trial) => trial.status === 'paused' && trial.worker !== null)
  return held.sort((a, b) => (a.best ?? -1) - (b.best ?? -1)).slice(0, Math.max(0, held.length - keep))
}

function isReady(trial: Trial, worker: number): boolean {
  return (trial.status === 'new' || trial.status === 'paused') && (trial.worker === null || trial.worker === worker)
}

function trialValue(trial: Trial, situation: Situation, pacing: Pacing, slice: number): number {
  const { now, remaining, best } = situation
  if (trial.best === null) {
    // Slow to open: less hope the longer it takes.
    const patience = patienceFor(now, best, pacing)
    return (
      (PORTFOLIO_HOPE * gap(best ?? 0) * (patience / Math.max(trial.spent, 1))) / Math.max(openingCost(now, pacing), 1)
    )
  }
  if (trial.taughtShare !== null) return refitValue(trial, trial.taughtShare, situation)
  const { curve, spent, openEnded } = trial
  return gainPerTime({ curve, spent, best: best ?? trial.best, slice, remaining, openEnded })
}

/** A fit on all rows: for what leads or is published, since others do not come out of the shade by it. */
function refitValue(trial: Trial, taughtShare: number, { remaining, best, published }: Situation): number {
  const cost = Math.max(1, trial.curve[trial.curve.length - 1].spent / taughtShare)
  if (remaining < cost || (trial.best !== best && !published.has(trial.id))) return 0
  return ((1 - taughtShare ** ROWS_EXPONENT) * gap(best ?? 0)) / cost
}

/** Hoped-for gain per unit of time of a trial that does not exist yet. */
function openingValue(situation: Situation, pacing: Pacing, best: number): number {
  if (!worthOpening(situation, pacing)) return 0
  const cost = openingCost(situation.now, pacing)
  if (situation.portfolioLeft > 0) return (PORTFOLIO_HOPE * gap(best)) / cost
  const tuned = situation.trials.filter((trial) => trial.tuner !== 'portfolio' && trial.spent > 0).slice(-TUNER_MEMORY)
  const hope = TUNER_HOPE * gap(best)
  const gained = tuned.reduce((sum, trial) => sum + Math.max(0, trial.gained), 0)
  const spent = tuned.reduce((sum, trial) => sum + (trial.curve[0]?.spent ?? trial.spent), 0)
  // One imagined trial that gained what is hoped for keeps the average honest while few are known.
  return (hope + gained) / (cost + spent)
}

/** A trial that cannot get to its first candidate before the end is not opened. */
function worthOpening({ trials, remaining, now }: Situation, pacing: Pacing): boolean {
  const opened = trials.filter((trial) => trial.curve.length > 0).map((trial) => trial.curve[0].spent)
  if (opened.length === 0) return true
  opened.sort((a, b) => a - b)
  const typical = opened[opened.length >> 1]
  return remaining > Math.min(typical, openingCost(now, pacing))
}

function openingCost(now: number, pacing: Pacing): number {
  return Math.max(pacing.patience * 0.7, 0.2 * now)
}

function patienceFor(now: number, best: number | null, pacing: Pacing): number {
  return Math.max(best === null ? pacing.firstPatience : pacing.patience, 0.5 * now)
}
