// Gives workers their slices and keeps account of the trials: the scheduler decides, the tuners propose, the library judges.
// Knows no files of the run and no deadline: its owner says until when, and is told what happened.

import type { SearchSpace } from '../families/family.ts'
import { Rng } from '../support/rng.ts'
import type { Library, LibraryMember, TrainedOn } from './library.ts'
import type { Fault, FromWorker, PlannedTrial, SliceLimit } from './messages.ts'
import { describeDeath, type Pool } from './pool.ts'
import { objective, type Quality } from './quality.ts'
import { CLOCK_PACING, countedPacing, decide, surplus } from './scheduler.ts'
import { addScore, newTrial, type Trial, trialId } from './trial.ts'
import { portfolioEntries, proposeTrial } from './tuners/search.ts'

type Of<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>

/** What the schedule counts in. */
export type Schedule =
  | { kind: 'clock'; nowMs(): number; untilMs(): number }
  | { kind: 'steps'; sliceSteps: number; maxSlices: number }

export interface DispatcherOptions {
  pool: Pool
  search: string
  seed: number
  schedule: Schedule
  currentLibrary(): Library
  /** A trial leads so clearly or the end is so near that predicting often is worth its time. */
  costly(predictMs: number, sinceKeptMs: number): boolean
  /** Trials whose models are in what is published. */
  published(): ReadonlySet<string>
  hooks: DispatcherHooks
}

export interface DispatcherHooks {
  onTrial(trial: Trial): void
  onScore(trial: Trial, quality: Quality, trainedOn: TrainedOn): void
  onKept(member: LibraryMember, replaced: LibraryMember[]): void
  onSlice(trial: Trial, worker: number, result: Of<'slice-end'>): void
  onTrialEnd(trial: Trial, status: 'finished' | 'failed' | 'stopped', reason: string | null, code: string | null): void
  /** Before idle workers get their next slices: in counted mode everything is published first. */
  beforeAssign(): Promise<void>
  /** There is nothing left to do, for this reason. */
  onExhausted(reason: string): void
  /** A hook threw while slices were being given out. */
  onFailure(error: unknown): void
}

export interface Dispatcher {
  readonly trials: readonly Trial[]
  /** @param openEnded families that learn for as long as they may */
  plan(entries: PlannedTrial[], spaces: Record<string, SearchSpace>, openEnded: readonly string[]): void
  /** A worker can take orders. */
  ready(worker: number): void
  onMessage(worker: number, message: FromWorker): void
  onDeath(worker: number, reason: string, fault: Fault | null): void
  /** Trials of earlier sessions. */
  restore(trials: Trial[], slices: number): void
  /** The blend gained by this trial's member. */
  credit(trial: string, gained: number): void
  doing(worker: number): { trial: Trial; sinceMs: number } | null
  stop(): void
}

/** Paused trials that a worker keeps in memory. */
const HELD_PER_WORKER = 5
/** Snapshots cost a write of all weights: at most this often, in milliseconds and as a share of the time since the start. */
const SNAPSHOT_MS = 8000
const SNAPSHOT_SHARE = 0.05

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { pool, schedule, hooks } = options
  const pacing = schedule.kind === 'clock' ? CLOCK_PACING : countedPacing(schedule.sliceSteps)
  const rng = Rng.fromSeed(options.seed).split('tuner')
  const trials: Trial[] = []
  const byId = new Map<string, Trial>()
  const idle = new Set<number>()
  const running = new Map<number, { trial: Trial; sinceMs: number }>()
  const keptAtMs = new Map<string, number>()
  const snapshotAtMs = new Map<string, number>()
  let portfolio: PlannedTrial[] = []
  let spaces: Record<string, SearchSpace> = {}
  let openEnded: ReadonlySet<string> = new Set()
  let planned = false
  let canPropose = true
  let best: number | null = null
  let slices = 0
  let assigning = false
  let stopped = false

  function nowMs(): number {
    return schedule.kind === 'clock' ? schedule.nowMs() : 0
  }

  function time(): { now: number; remaining: number } {
    if (schedule.kind === 'clock') return { now: schedule.nowMs(), remaining: schedule.untilMs() - schedule.nowMs() }
    const { sliceSteps, maxSlices } = schedule
    return { now: slices * sliceSteps, remaining: (maxSlices - slices) * sliceSteps }
  }

  function assignNow(): void {
    assign().catch(hooks.onFailure)
  }

  async function assign(): Promise<void> {
    if (assigning || stopped) return
    assigning = true
    try {
      await hooks.beforeAssign()
      for (const worker of [...idle].sort((a, b) => a - b)) {
        if (stopped || !planned) return
        if (!give(worker)) continue
        idle.delete(worker)
      }
      if (idle.size > 0 && running.size === 0 && !stopped) {
        stopped = true
        hooks.onExhausted(whyIdle())
      }
    } finally {
      assigning = false
    }
  }

  /** Why nobody is at work. */
  function whyIdle(): string {
    if (time().remaining <= 0) return schedule.kind === 'clock' ? 'the budget is used up' : 'all slices were given'
    const more = canPropose && propose() !== null
    return more ? 'nothing more fits into what is left of the budget' : 'everything was tried'
  }

  /** False when there is nothing for this worker now. */
  function give(worker: number): boolean {
    for (;;) {
      const { now, remaining } = time()
      const tried = trials.filter((trial) => trial.tuner === 'portfolio').length
      const portfolioLeft = Math.max(0, portfolioEntries(options.search, portfolio.length) - tried)
      const published = options.published()
      const decision = decide({ trials, worker, now, remaining, best, published, portfolioLeft, canPropose }, pacing)
      if (decision.kind === 'idle') return false
      if (decision.kind === 'slice') {
        order(worker, decision.trial, decision.length)
        return true
      }
      const trial = open()
      if (trial === null) {
        // Without proposals the scheduler chooses among what there is.
        canPropose = false
        portfolio = portfolio.slice(0, tried)
        continue
      }
      order(worker, trial, decision.length)
      return true
    }
  }

  function open(): Trial | null {
    const proposal = propose()
    if (proposal === null) return null
    return add(newTrial(trialId(trials.length), proposal.family, proposal.params, proposal.tuner))
  }

  function propose(): ReturnType<typeof proposeTrial> {
    const history = trials.map(({ id, family, params, best: score, status }) => ({
      trial: id,
      family,
      params,
      score,
      failed: status === 'failed',
    }))
    return proposeTrial(options.search, { history, portfolio, spaces, rng: rng.split(trials.length) })
  }

  function add(trial: Trial): Trial {
    trial.openEnded = openEnded.has(trial.family)
    trials.push(trial)
    byId.set(trial.id, trial)
    hooks.onTrial(trial)
    return trial
  }

  function order(worker: number, trial: Trial, length: number): void {
    makeRoom(worker, trial)
    trial.status = 'running'
    trial.worker = worker
    running.set(worker, { trial, sinceMs: nowMs() })
    const limit: SliceLimit =
      schedule.kind === 'clock'
        ? { kind: 'clock', ms: length, untilMs: schedule.untilMs() }
        : { kind: 'steps', steps: length, left: time().remaining }
    const { id, family, params } = trial
    pool.send(worker, { type: 'slice', trial: id, family, params, limit, snapshot: snapshotDue(trial) })
  }

  function snapshotDue(trial: Trial): boolean {
    if (schedule.kind === 'steps') return true
    const now = schedule.nowMs()
    const due = now - (snapshotAtMs.get(trial.id) ?? 0) > Math.max(SNAPSHOT_MS, SNAPSHOT_SHARE * now)
    if (due) snapshotAtMs.set(trial.id, now)
    return due
  }

  /** A worker holds few paused trials; those that promise least end. */
  function makeRoom(worker: number, next: Trial): void {
    const held = trials.filter((trial) => trial.worker === worker && trial !== next)
    for (const trial of surplus(held, HELD_PER_WORKER)) {
      pool.send(worker, { type: 'drop', trial: trial.id })
      trial.worker = null
      trial.status = 'stopped'
      hooks.onTrialEnd(trial, 'stopped', 'others promise more', null)
    }
  }

  function onCandidate(worker: number, message: Of<'candidate'>): void {
    const trial = byId.get(message.trial)
    if (trial === undefined) return
    const { member, trainedOn, validation, family } = message
    const sinceKept = nowMs() - (keptAtMs.get(trial.id) ?? Number.NEGATIVE_INFINITY)
    const costly = schedule.kind === 'clock' && options.costly(predictMsOf(trial.id), sinceKept)
    const { quality, keep } = options
      .currentLibrary()
      .consider({ trial: trial.id, member, family, trainedOn, validation }, costly)
    if (!message.staged) pool.send(worker, { type: 'verdict', trial: trial.id, member, keep })
    if (quality === null) return
    const value = objective(quality)
    const spent = trial.spent + (schedule.kind === 'clock' ? message.ms : message.steps)
    addScore(trial, spent, value)
    if (best === null || value > best) best = value
    hooks.onScore(trial, quality, trainedOn)
  }

  const predictMs = new Map<string, number>()
  function predictMsOf(trial: string): number {
    return predictMs.get(trial) ?? 0
  }

  function onMember(message: Of<'member'>): void {
    const library = options.currentLibrary()
    predictMs.set(message.trial, message.predictMs)
    keptAtMs.set(message.trial, nowMs())
    const replaced = library.stage(message.trial, message.member, message.predictMs)
    const member = library.get(`${message.trial}/${message.member}`)
    if (member !== undefined) hooks.onKept(member, replaced)
  }

  /** What was judged but never came must not be what others are measured against. */
  function forgetGhosts(trial: Trial): void {
    if (best === null || !options.currentLibrary().forgetUnstaged(trial.id)) return
    const known = options.currentLibrary().candidates()
    best = known.reduce<number | null>((most, { quality }) => Math.max(most ?? -1, objective(quality)), null)
  }

  function onSliceEnd(worker: number, message: Of<'slice-end'>): void {
    const trial = byId.get(message.trial)
    running.delete(worker)
    idle.add(worker)
    if (trial !== undefined) {
      slices++
      trial.slices++
      trial.spent += schedule.kind === 'clock' ? message.ms : message.steps
      trial.units = message.units
      trial.of = message.of
      trial.taughtShare = message.taughtShare
      trial.status = message.status
      if (message.status !== 'paused') trial.worker = null
      if (message.status === 'failed') forgetGhosts(trial)
      hooks.onSlice(trial, worker, message)
      if (message.status !== 'paused') {
        hooks.onTrialEnd(trial, message.status, message.error?.message ?? null, message.error?.code ?? null)
      }
    }
    assignNow()
  }

  return {
    trials,
    plan(entries, given, learning) {
      portfolio = entries
      spaces = given
      openEnded = new Set(learning)
      for (const trial of trials) trial.openEnded = openEnded.has(trial.family)
      planned = true
      assignNow()
    },
    ready(worker) {
      if (running.has(worker)) return
      idle.add(worker)
      assignNow()
    },
    onMessage(worker, message) {
      switch (message.type) {
        case 'opened': {
          const trial = add(newTrial(message.trial, message.family, message.params, 'portfolio'))
          trial.status = 'running'
          trial.worker = worker
          running.set(worker, { trial, sinceMs: nowMs() })
          return
        }
        case 'candidate':
          onCandidate(worker, message)
          return
        case 'member':
          onMember(message)
          return
        case 'slice-end':
          onSliceEnd(worker, message)
          return
        case 'progress': {
          const trial = byId.get(message.trial)
          if (trial !== undefined) {
            trial.units = message.units
            trial.of = message.of
          }
          return
        }
        default:
          return
      }
    },
    onDeath(worker, reason, fault) {
      idle.delete(worker)
      const lost = running.get(worker)
      running.delete(worker)
      if (lost !== undefined) {
        lost.trial.status = 'failed'
        forgetGhosts(lost.trial)
        const code = fault?.code ?? 'WORKER'
        hooks.onTrialEnd(lost.trial, 'failed', describeDeath(reason, fault), code)
      }
      // What else it held goes on elsewhere, from the state on disk or anew.
      for (const trial of trials) if (trial.worker === worker) trial.worker = null
      assignNow()
    },
    restore(earlier, sliceCount) {
      slices = sliceCount
      for (const trial of earlier) {
        trial.openEnded = openEnded.has(trial.family)
        trials.push(trial)
        byId.set(trial.id, trial)
        if (trial.best !== null && (best === null || trial.best > best)) best = trial.best
      }
    },
    credit(trial, gained) {
      const found = byId.get(trial)
      if (found !== undefined) found.gained += gained
    },
    doing: (worker) => running.get(worker) ?? null,
    stop() {
      stopped = true
    },
  }
}
