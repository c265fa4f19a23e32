// What a run looks like at one instant, folded from its events: the only thing that views draw from.
import type { RunEvent, StampedEvent } from '../run/events.ts'

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

export interface WorkerState {
  status: 'started' | 'ended' | 'killed'
  /** `t0001 epoch 3/30`, or what it does between slices, or why it ended. */
  doing: string
  rssBytes: number
}

export interface MilestoneState extends EventOf<'milestone'> {
  t: number
}

export interface RunState {
  start: EventOf<'start'> | null
  profile: EventOf<'profile'> | null
  device: EventOf<'device'> | null
  end: EventOf<'end'> | null
  /** Family by trial. */
  families: Map<string, string>
  workers: Map<number, WorkerState>
  milestones: MilestoneState[]
  /** Every validation score that a trial reached. */
  scores: { t: number; trial: string; nauc: number }[]
  /** Trials by how they are: those that wait or run are `tried - finished - failed`. */
  trials: { tried: number; finished: number; failed: number }
  warnings: string[]
}

export function emptyRunState(): RunState {
  return {
    start: null,
    profile: null,
    device: null,
    end: null,
    families: new Map(),
    workers: new Map(),
    milestones: [],
    scores: [],
    trials: { tried: 0, finished: 0, failed: 0 },
    warnings: [],
  }
}

/** Folds one event into `state`, in place. */
export function applyEvent(state: RunState, event: StampedEvent): void {
  switch (event.type) {
    case 'start':
      state.start = event
      break
    case 'profile':
      state.profile = event
      state.warnings.push(...event.warnings)
      break
    case 'device':
      state.device = event
      break
    case 'trial':
      state.families.set(event.trial, event.family)
      state.trials.tried++
      break
    case 'slice': {
      const { trial, units, of, note } = event
      workerOf(state, event.worker).doing = `${trial} ${note} ${units}${of === null ? '' : `/${of}`}`
      break
    }
    case 'score':
      state.scores.push({ t: event.t, trial: event.trial, nauc: event.nauc })
      break
    case 'trial-end':
      if (event.status === 'failed') state.trials.failed++
      else state.trials.finished++
      break
    case 'milestone':
      state.milestones.push(event)
      break
    case 'worker': {
      const worker = workerOf(state, event.worker)
      worker.status = event.status
      // What an event does not know it leaves empty.
      if (event.doing !== '') worker.doing = event.doing
      if (event.rssBytes > 0) worker.rssBytes = event.rssBytes
      break
    }
    case 'warning':
      state.warnings.push(event.message)
      break
    case 'end':
      state.end = event
      break
    default:
      event satisfies never
  }
}

/** The milestone that validation likes best; null before any was judged. */
export function bestMilestone(state: RunState): MilestoneState | null {
  let best: MilestoneState | null = null
  for (const milestone of state.milestones) {
    if (milestone.nauc !== null && (best === null || milestone.nauc > best.nauc!)) best = milestone
  }
  return best
}

function workerOf(state: RunState, worker: number): WorkerState {
  let found = state.workers.get(worker)
  if (found === undefined) {
    found = { status: 'started', doing: '', rssBytes: 0 }
    state.workers.set(worker, found)
  }
  return found
}
