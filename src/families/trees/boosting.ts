// Histogram gradient boosting as a course of training (Friedman 2001; Ke et al. 2017). All parts of the validation plan are boosted in
// step and judged together at growing round counts; a candidate is published when the judges are clearly happier, and the best at the end.
// Then a booster on all rows repeats the best number of rounds, unless nearly all rows taught already. With folds, the model published
// until then is the folds' mean.
import { nauc } from '../../metrics/nauc.ts'
import { NEARLY_ALL } from '../common/train-classical.ts'
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'
import { type Booster, createBooster } from './booster.ts'
import { boosterOptions } from './boosting-space.ts'
import { boostedModel } from './models.ts'
import { logLossOf, scoresOfMargins } from './objective.ts'
import type { TreeSource } from './source.ts'
import { loadTable, type TrainingTable } from './training-table.ts'
import { TreeStore } from './tree-store.ts'

/** Rounds between one judgement and the next grow by this factor: early answers come soon, late ones cost little. */
const JUDGE_FACTOR = 1.35
const FIRST_JUDGEMENT = 8
/** Judgements without progress until training stops: by then the rounds have doubled. */
const PATIENCE = 3
/** Share of the remaining error (1 - NAUC) that a judgement must take off to count as progress, and to be worth predicting with. */
const WORTH_WAITING = 0.005
const WORTH_PUBLISHING = 0.1
/** Row-features and row-margins visited between two safe points: about 30 ms. */
const WORK_PER_YIELD = 6e6
/** Nodes of one exported ensemble: each costs about 3 us of serialising and loading. */
const MAX_NODES = 500_000

interface Judgement {
  rounds: number
  nauc: number
  loss: number
}

interface Course {
  stage: 'folds' | 'all' | 'done'
  best: Judgement
  /** NAUC of the last candidate. */
  published: number
  /** Judgements since the last one with progress. */
  idle: number
  /** [plan.rows, K] at the best judgement. */
  scores: Float32Array
  boosters: Booster[]
}

export async function* trainBoosting(trial: TrialContext, source: TreeSource): AsyncGenerator<TrialEvent, void, void> {
  const { params, plan, profile } = trial
  const resumed = readState(trial.resumed, plan.rows.length * profile.classCount)
  const course: Course = resumed?.course ?? {
    stage: 'folds',
    best: { rounds: 0, nauc: -2, loss: 1e9 },
    published: -2,
    idle: 0,
    scores: new Float32Array(plan.rows.length * profile.classCount),
    boosters: [],
  }
  trial.saveState(() => saveCourse(course))
  if (course.stage === 'done') return
  const table = yield* loadTable(trial, source, { categorical: params.categories === 'sets' })
  const stores = resumed?.stores ?? []
  if (course.stage === 'folds') {
    yield* boostFolds(trial, table, course, stores.splice(0))
    const [booster] = course.boosters
    // What is best so far need not wait until as many rounds are repeated on all rows.
    if (course.best.nauc > course.published) {
      course.published = course.best.nauc
      yield candidateOf(table, course)
    }
    course.boosters = []
    course.stage = 'all'
    const taughtShare = booster.trainCount / profile.trainCount
    if (taughtShare >= NEARLY_ALL) course.stage = 'done'
    else if (plan.kind === 'holdout') yield { type: 'settled', taughtShare }
  }
  if (course.stage === 'all') yield* boostAll(trial, table, course, stores[0] ?? null)
  course.stage = 'done'
}

async function* boostFolds(
  trial: TrialContext,
  table: TrainingTable,
  course: Course,
  stores: readonly TreeStore[],
): AsyncGenerator<TrialEvent, void, void> {
  const { plan, params, profile } = trial
  const maxRounds = Number(params.rounds)
  course.boosters = plan.folds.map(({ train, validation }, i) =>
    boosterOn(trial, table, table.teaching(train), table.positions(validation), i, stores[i] ?? null),
  )
  const { boosters } = course
  const judges = table.positions(plan.rows)
  const truth = labelsOf(trial, plan.rows)
  let until = judgementAfter(Math.min(...boosters.map((booster) => booster.rounds)))
  for (const step = stepper(); ; until = judgementAfter(until)) {
    until = Math.min(until, maxRounds)
    for (const booster of boosters) {
      while (booster.rounds < until) {
        for (const _ of step(booster)) {
          yield { type: 'progress', units: booster.rounds, of: maxRounds, note: 'boosting rounds' }
        }
      }
    }
    const scores = joined(
      boosters.map(({ objective, margins }, i) =>
        scoresOfMargins(objective, margins, table.positions(plan.folds[i].validation)),
      ),
    )
    const loss = logLossOf(boosters[0].objective.link, scores, table.targets, judges, profile.classCount)
    const area = nauc(truth, scores, profile.classCount)
    const { best } = course
    const gained = area > best.nauc + 1e-6
    if (gained || (area > best.nauc - 1e-6 && loss < best.loss)) {
      if (gained && 1 - area < (1 - best.nauc) * (1 - WORTH_WAITING)) course.idle = 0
      else course.idle++
      course.best = { rounds: until, nauc: area, loss }
      course.scores = scores
      if (1 - area < (1 - course.published) * (1 - WORTH_PUBLISHING)) {
        course.published = area
        yield candidateOf(table, course)
      }
    } else course.idle++
    const nodes = boosters.reduce((sum, { store }) => sum + store.nodes, 0)
    if (course.idle >= PATIENCE || until >= maxRounds || nodes > MAX_NODES) return
  }
}

/** More rows bear more rounds, in proportion. */
async function* boostAll(
  trial: TrialContext,
  table: TrainingTable,
  course: Course,
  store: TreeStore | null,
): AsyncGenerator<TrialEvent, void, void> {
  const { trainCount } = trial.profile
  const every = Int32Array.from({ length: trainCount }, (_, row) => row)
  const rounds = Math.round(course.best.rounds * Math.min(1.25, trainCount / trial.plan.folds[0].train.length))
  const booster = boosterOn(trial, table, table.teaching(every), new Int32Array(0), 'all', store)
  course.boosters = [booster]
  const step = stepper()
  while (booster.rounds < rounds) {
    for (const _ of step(booster)) {
      yield { type: 'progress', units: booster.rounds, of: rounds, note: 'boosting rounds on all rows' }
    }
  }
  const model = modelOf(table, [booster], booster.rounds)
  yield { type: 'candidate', validation: course.scores.slice(), model, trainedOn: 'all' }
}

function boosterOn(
  trial: TrialContext,
  table: TrainingTable,
  train: Int32Array,
  watched: Int32Array,
  part: number | 'all',
  store: TreeStore | null,
): Booster {
  return createBooster({
    codes: table.codes,
    labels: table.targets,
    classes: table.classes,
    link: table.link,
    train,
    watched,
    options: boosterOptions(trial.params, table, train.length),
    rng: trial.rng.split(`booster ${part}`),
    store,
  })
}

function modelOf(table: TrainingTable, boosters: readonly Booster[], rounds: number): Model {
  return boostedModel(
    table,
    boosters.map(({ store, objective, rounds: grown }) => {
      return {
        store,
        objective,
        trees: Math.round((store.roots.length / Math.max(1, grown)) * Math.min(rounds, grown)),
      }
    }),
  )
}

/** The boosters of the folds as they stood at the best judgement. */
function candidateOf(table: TrainingTable, { boosters, best, scores }: Course): TrialEvent {
  return {
    type: 'candidate',
    validation: scores.slice(),
    model: modelOf(table, boosters, best.rounds),
    trainedOn: 'train',
  }
}

/** Adds one tree, stopping at safe points; small steps are taken several at a time. */
function stepper(): (booster: Booster) => Generator<void, void, void> {
  let work = 0
  return function* (booster) {
    yield* booster.step()
    work += booster.stepWork
    if (work < WORK_PER_YIELD) return
    work = 0
    yield
  }
}

function judgementAfter(rounds: number): number {
  let next = FIRST_JUDGEMENT
  while (next <= rounds) next = Math.ceil(next * JUDGE_FACTOR)
  return next
}

function labelsOf({ labels, profile: { classCount } }: TrialContext, rows: Int32Array): Float32Array {
  return joined([...rows].map((row) => labels.subarray(row * classCount, (row + 1) * classCount)))
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function saveCourse({ stage, best, published, idle, scores, boosters }: Course): TrialState {
  return {
    facts: { stage, best, published, idle, boosters: boosters.length },
    arrays: Object.assign({ scores: scores.slice() }, ...boosters.map((booster, i) => booster.save(`${i}/`))),
  }
}

/** Null when there is nothing to resume, or when it belongs to another plan. */
function readState(state: TrialState | null, scoreCount: number): { course: Course; stores: TreeStore[] } | null {
  const scores = state?.arrays.scores
  if (!state || !(scores instanceof Float32Array) || scores.length !== scoreCount) return null
  const { stage, best, published, idle, boosters } = state.facts as Omit<Course, 'boosters'> & { boosters: number }
  const course: Course = { stage, best, published, idle, scores, boosters: [] }
  const stores = Array.from({ length: boosters }, (_, i) => TreeStore.load(state.arrays, `${i}/`))
  return { course, stores: stores.map((store) => store ?? new TreeStore()) }
}
