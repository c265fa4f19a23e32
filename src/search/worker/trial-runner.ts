// Advances trials by slices. A trial is an async generator; it is pulled until its slice is over, and waits where it stands until
// the next one. A trial that throws is over, its error named; the worker goes on.
import type { Family, HyperParams, Pace, TrialContext, TrialEvent, TrialState } from '../../families/family.ts'
import { AutomlError } from '../../support/errors.ts'
import { Rng } from '../../support/rng.ts'
import type { SliceLimit } from '../messages.ts'
import { readTrialState, statePath, writeTrialState } from '../trial-state-file.ts'

export type CandidateEvent = Extract<TrialEvent, { type: 'candidate' }>
export type ProgressEvent = Extract<TrialEvent, { type: 'progress' }>

/** What all trials of a worker share. */
export type TrialBase = Omit<TrialContext, 'params' | 'rng' | 'pace' | 'resumed' | 'saveState'>

export interface TrialRunnerOptions {
  base: TrialBase
  out: string
  /** The run's seed: a trial's stream is split from it by the trial's name, whichever worker runs it. */
  seed: number
  familyOf(name: string): Family | undefined
  /** Milliseconds since the run's time zero. */
  elapsedMs(): number
  /** Milliseconds to keep free at the end for predicting the test split with this trial's model. */
  reserveMs(trial: string): number
  onProgress(trial: string, event: ProgressEvent): void
  /** A snapshot could not be made or written: the trial goes on without. */
  onUnsaved(error: unknown): void
  /** Resolves when the trial may go on. */
  onCandidate(trial: string, family: string, event: CandidateEvent, spent: { ms: number; steps: number }): Promise<void>
}

export interface Slice {
  trial: string
  family: string
  params: HyperParams
  limit: SliceLimit
  snapshot: boolean
}

export interface SliceResult {
  status: 'paused' | 'finished' | 'failed'
  startMs: number
  ms: number
  steps: number
  units: number
  of: number | null
  note: string
  /** Of a trial that only needs a fit on all rows: the share that it has learned from. */
  taughtShare: number | null
  error?: unknown
}

export interface TrialRunner {
  /** @param untilCandidate ends the slice after the first candidate too */
  run(slice: Slice, untilCandidate?: boolean): Promise<SliceResult>
  /** Forgets a trial. */
  drop(trial: string): void
  /** Saves what trials can still be saved before `untilMs` of the run's clock. */
  saveAll(untilMs: number): Promise<void>
}

interface LiveTrial {
  events: AsyncGenerator<TrialEvent, void, void>
  rng: Rng
  snapshot: (() => TrialState | Promise<TrialState>) | null
  limit: SliceLimit
  usedSteps: number
  usedMs: number
  sliceStartMs: number
  last: ProgressEvent
  taughtShare: number | null
  dirty: boolean
}

export function createTrialRunner(options: TrialRunnerOptions): TrialRunner {
  const live = new Map<string, LiveTrial>()

  async function run(slice: Slice, untilCandidate = false): Promise<SliceResult> {
    const { trial: name, limit } = slice
    const startMs = options.elapsedMs()
    let steps = 0
    let trial: LiveTrial | null = null
    let status: SliceResult['status'] = 'paused'
    let failure: unknown = null
    try {
      trial = live.get(name) ?? start(slice)
      trial.limit = limit
      trial.usedSteps = 0
      trial.sliceStartMs = startMs
      for (;;) {
        const { done, value: event } = await trial.events.next()
        if (done) {
          status = 'finished'
          break
        }
        steps++
        trial.usedSteps = steps
        trial.dirty = true
        if (event.type === 'progress') {
          trial.last = event
          options.onProgress(name, event)
        } else if (event.type === 'settled') {
          trial.taughtShare = event.taughtShare
          // Whether the fit on all rows is worth its time is for the scheduler to say.
          if (limit.kind === 'clock') break
        } else {
          const spent = { ms: options.elapsedMs() - startMs, steps }
          await options.onCandidate(name, slice.family, event, spent)
        }
        if (untilCandidate && event.type === 'candidate') break
        if (limit.kind === 'steps' ? steps >= limit.steps : options.elapsedMs() - startMs >= limit.ms) break
      }
    } catch (error) {
      status = 'failed'
      failure = error
    }
    const ms = options.elapsedMs() - startMs
    if (trial !== null) trial.usedMs += ms
    // One without an end of its own may go on when a later session brings more time.
    const goesOn = status === 'finished' && trial?.last.of === null
    if (trial !== null && ((status === 'paused' && slice.snapshot) || goesOn)) await save(name, trial)
    if (status === 'failed') await trial?.events.return().catch(() => {})
    if (status !== 'paused') live.delete(name)
    const { units, of, note } = trial?.last ?? NOTHING_YET
    const taughtShare = trial?.taughtShare ?? null
    return {
      ...{ status, startMs, ms, steps, units, of, note, taughtShare },
      ...(status === 'failed' ? { error: failure } : {}),
    }
  }

  function start({ trial: name, family: familyName, params, limit }: Slice): LiveTrial {
    const family = options.familyOf(familyName)
    if (family === undefined) throw new AutomlError('TRIAL', `there is no family ${familyName}`)
    const saved = readTrialState(statePath(options.out, name))
    const trial: LiveTrial = {
      events: null as unknown as LiveTrial['events'],
      rng: saved === null ? Rng.fromSeed(options.seed).split(name) : new Rng(saved.rng),
      snapshot: null,
      limit,
      usedSteps: 0,
      usedMs: 0,
      sliceStartMs: options.elapsedMs(),
      last: NOTHING_YET,
      taughtShare: null,
      dirty: false,
    }
    trial.events = family.train({
      ...options.base,
      params,
      rng: trial.rng,
      pace: paceOf(name, trial),
      resumed: saved?.state ?? null,
      saveState: (snapshot) => {
        trial.snapshot = snapshot
      },
    })
    live.set(name, trial)
    return trial
  }

  function paceOf(name: string, trial: LiveTrial): Pace {
    if (trial.limit.kind === 'steps') {
      return {
        kind: 'steps',
        remainingSteps: () => (trial.limit.kind === 'steps' ? Math.max(0, trial.limit.left - trial.usedSteps) : 0),
      }
    }
    return {
      kind: 'clock',
      remainingMs: () => {
        const until = trial.limit.kind === 'clock' ? trial.limit.untilMs : 0
        return Math.max(0, until - options.elapsedMs() - options.reserveMs(name))
      },
      reservedMs: () => options.reserveMs(name),
      elapsedMs: () => trial.usedMs + options.elapsedMs() - trial.sliceStartMs,
    }
  }

  /** The disk may be full or gone: a later session then starts the trial from its last state, or anew. */
  async function save(name: string, trial: LiveTrial): Promise<void> {
    if (trial.snapshot === null || !trial.dirty) return
    try {
      writeTrialState(statePath(options.out, name), { state: await trial.snapshot(), rng: trial.rng.state() })
      trial.dirty = false
    } catch (error) {
      options.onUnsaved(error)
    }
  }

  return {
    run,
    drop(name) {
      const trial = live.get(name)
      live.delete(name)
      // Lets go of what the trial has compiled; what it says on the way out concerns nobody any more.
      trial?.events.return().catch(() => {})
    },
    async saveAll(untilMs) {
      for (const [name, trial] of live) {
        if (options.elapsedMs() > untilMs) return
        await save(name, trial)
      }
    },
  }
}

const NOTHING_YET: ProgressEvent = { type: 'progress', units: 0, of: null, note: '' }
