// Forests of randomised trees as a course of training (Breiman 2001; Geurts 2006): all parts of the validation plan grow together
// and a candidate is published at a few sizes, then a forest on all rows. Scores are the mean of the leaves' class frequencies.
// With folds, each part gives its share of the trees to the model published until then.
import type { Rng } from '../../support/rng.ts'
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'
import { rowWeights } from './booster.ts'
import { type DenseCodes, toDense } from './codes.ts'
import { forestOptions } from './forest-space.ts'
import { forestModel } from './models.ts'
import { labelLists, type RandomTreeGrower, randomTreeGrower } from './random-trees.ts'
import type { TreeSource } from './source.ts'
import { loadTable, type TrainingTable } from './training-table.ts'
import { TreeStore } from './tree-store.ts'

/** Trees at which a candidate is published before the full size: the first says what to expect, the second is nearly as good as all. */
const STOPS = [12, 40]
/** Nodes of one exported forest: each costs about 3 us of serialising and loading. */
const MAX_NODES = 900_000
/** Codes of a sparse table written out by column. */
const MAX_DENSE_BYTES = 160e6

interface Course {
  stage: 'folds' | 'all' | 'done'
  /** [plan.rows, K] sums over the trees grown so far. */
  sums: Float32Array
  stores: TreeStore[]
}

/** One part of the plan: where its trees come from. */
interface Stand {
  store: TreeStore
  grower: RandomTreeGrower
  train: Int32Array
  weights: Float32Array
  rng: Rng
}

export async function* trainForest(trial: TrialContext, source: TreeSource): AsyncGenerator<TrialEvent, void, void> {
  const { plan, profile } = trial
  const { classCount } = profile
  const course: Course = readCourse(trial.resumed, plan.rows.length * classCount) ?? {
    stage: 'folds',
    sums: new Float32Array(plan.rows.length * classCount),
    stores: [],
  }
  trial.saveState(() => saveCourse(course))
  if (course.stage === 'done') return
  const table = yield* loadTable(trial, source, {})
  const codes = denseOf(table)
  if (course.stage === 'folds') {
    const trees = yield* growFolds(trial, table, codes, course)
    course.stage = 'all'
    course.stores = []
    course.sums = course.sums.map((sum) => sum / trees)
  }
  const every = Int32Array.from({ length: profile.trainCount }, (_, row) => row)
  const stand = standOn(trial, table, codes, table.teaching(every), 'all', course.stores[0] ?? null)
  course.stores = [stand.store]
  const wanted = Number(trial.params.trees)
  while (stand.store.roots.length < wanted && stand.store.nodes < MAX_NODES) {
    growOne(stand, trial)
    yield { type: 'progress', units: stand.store.roots.length, of: wanted, note: 'trees on all rows' }
  }
  course.stage = 'done'
  const model = forestModel(table, [{ store: stand.store, from: 0, to: stand.store.roots.length }])
  yield { type: 'candidate', validation: course.sums.map(toScore), model, trainedOn: 'all' }
}

/** Returns how many trees every part has. */
async function* growFolds(
  trial: TrialContext,
  table: TrainingTable,
  codes: DenseCodes,
  course: Course,
): AsyncGenerator<TrialEvent, number, void> {
  const { plan } = trial
  const wanted = Number(trial.params.trees)
  const stands = plan.folds.map(({ train }, i) =>
    standOn(trial, table, codes, table.teaching(train), i, course.stores[i] ?? null),
  )
  course.stores = stands.map(({ store }) => store)
  const judges = plan.folds.map(({ validation }) => table.positions(validation))
  const margins = new Float32Array(codes.rows * table.classes)
  const judge = (i: number, tree: number) => {
    const rows = judges[i]
    for (const row of rows) margins.fill(0, row * table.classes, (row + 1) * table.classes)
    stands[i].store.addScores(codes, rows, margins, table.classes, tree, tree + 1)
    let at = judges.slice(0, i).reduce((sum, part) => sum + part.length, 0) * table.classes
    for (const row of rows)
      for (let k = 0; k < table.classes; k++) course.sums[at++] += margins[row * table.classes + k]
  }
  let trees = Math.min(...stands.map(({ store }) => store.roots.length))
  let full = false
  while (trees < wanted && !full) {
    for (const [i, stand] of stands.entries()) {
      if (stand.store.roots.length > trees) continue
      growOne(stand, trial)
      judge(i, trees)
      yield { type: 'progress', units: trees, of: wanted, note: 'trees' }
    }
    trees++
    full = stands.some(({ store }) => store.nodes >= MAX_NODES)
    // The forest on all rows follows the last tree at once, with the same validation scores.
    if (STOPS.includes(trees) && trees < wanted && !full) {
      const model = meanModel(table, stands, trees)
      yield { type: 'candidate', validation: course.sums.map((sum) => toScore(sum / trees)), model, trainedOn: 'train' }
    }
  }
  return trees
}

function standOn(
  trial: TrialContext,
  table: TrainingTable,
  codes: DenseCodes,
  train: Int32Array,
  part: number | 'all',
  store: TreeStore | null,
): Stand {
  const options = forestOptions(trial.params, codes.bins.length, train.length)
  return {
    store: store ?? new TreeStore(),
    grower: randomTreeGrower(codes, labelLists(table.targets, table.classes), options),
    train,
    weights: rowWeights(table.targets, table.classes, train, codes.rows, Number(trial.params.balance)),
    rng: trial.rng.split(`forest ${part}`),
  }
}

function growOne({ store, grower, train, weights, rng }: Stand, trial: TrialContext): void {
  const random = rng.split(store.roots.length)
  if (trial.params.bootstrap !== true) {
    grower.grow(store, train.slice(), weights, random)
    return
  }
  const drawn = new Float32Array(weights.length)
  for (let i = 0; i < train.length; i++) {
    const row = train[random.below(train.length)]
    drawn[row] += weights[row]
  }
  grower.grow(
    store,
    train.filter((row) => drawn[row] > 0),
    drawn,
    random,
  )
}

/** As many trees as one part has, taken from all parts in turn. */
function meanModel(table: TrainingTable, stands: readonly Stand[], trees: number): Model {
  const parts = stands.map(({ store }, i) => {
    const from = Math.floor((i * trees) / stands.length)
    return { store, from, to: Math.floor(((i + 1) * trees) / stands.length) }
  })
  return forestModel(table, parts)
}

function denseOf({ codes }: TrainingTable): DenseCodes {
  return codes.layout === 'dense' ? codes : toDense(codes, Math.floor(MAX_DENSE_BYTES / Math.max(1, codes.rows)))
}

function toScore(mean: number): number {
  return Math.min(1, Math.max(0, mean))
}

function saveCourse({ stage, sums, stores }: Course): TrialState {
  return {
    facts: { stage, stores: stores.length },
    arrays: Object.assign({ sums: sums.slice() }, ...stores.map((store, i) => store.save(`${i}/`))),
  }
}

/** Null when there is nothing to resume, or when it belongs to another plan. */
function readCourse(state: TrialState | null, scoreCount: number): Course | null {
  const sums = state?.arrays.sums
  if (!state || !(sums instanceof Float32Array) || sums.length !== scoreCount) return null
  const { stage, stores } = state.facts as { stage: Course['stage']; stores: number }
  const loaded = Array.from({ length: stores }, (_, i) => TreeStore.load(state.arrays, `${i}/`) ?? new TreeStore())
  return { stage, sums: sums.slice(), stores: loaded }
}
