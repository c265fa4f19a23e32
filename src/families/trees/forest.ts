// Forests of randomised trees as a course of training (Breiman 2001; Geurts 2006): all parts of the validation plan grow together
// and a candidate is published at a few sizes, then a forest on all rows. Scores are the mean of the leaves' class frequencies.
// With folds, each part gives its share of the trees to the model published until then.
import type { Rng } from '../../support/rng.ts'
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'
import { rowWeights } from './booster.ts'
import { forestOptions } from './forest-space.ts'
import { labelLists } from './label-lists.ts'
import { forestModel } from './models.ts'
import { type RandomTreeGrower, randomTreeGrower } from './random-trees.ts'
import type { TreeSource } from './source.ts'
import { sparseRandomTreeGrower } from './sparse-random-trees.ts'
import { loadTable, type TrainingTable } from './training-table.ts'
import { type StoreMark, TreeStore } from './tree-store.ts'

/** Trees at which a candidate is published before the full size; the last is nearly as good as all. */
const STOPS = [40, 120]
/** From this many training rows on, with every fold's, forty trees take long: a dozen say first what to expect. */
const MANY_ROWS = 20_000
const FIRST_STOP = 12
/** Nodes of one exported forest: each costs about 3 us of serialising and loading. */
const MAX_NODES = 900_000

interface Course {
  stage: 'folds' | 'all' | 'done'
  /** [plan.rows, K] sums over the trees grown so far. */
  sums: Float32Array
  stands: Stand[]
}

/** One part of the plan: where its trees come from. */
interface Stand {
  store: TreeStore
  /** The store as it was after its last whole tree. */
  whole: StoreMark
  grower: RandomTreeGrower
  train: Int32Array
  weights: Float32Array
  rng: Rng
}

export async function* trainForest(trial: TrialContext, source: TreeSource): AsyncGenerator<TrialEvent, void, void> {
  const { plan, profile, params } = trial
  const { classCount } = profile
  const resumed = readCourse(trial.resumed, plan.rows.length * classCount)
  const course: Course = resumed?.course ?? {
    stage: 'folds',
    sums: new Float32Array(plan.rows.length * classCount),
    stands: [],
  }
  trial.saveState(() => saveCourse(course))
  if (course.stage === 'done') return
  const table = yield* loadTable(trial, source, {})
  const stores = resumed?.stores ?? []
  if (course.stage === 'folds') {
    const trees = yield* growFolds(trial, table, course, stores.splice(0))
    course.stage = 'all'
    course.sums = course.sums.map((sum) => sum / trees)
  }
  const every = Int32Array.from({ length: profile.trainCount }, (_, row) => row)
  const stand = standOn(trial, table, table.teaching(every), 'all', stores[0] ?? null)
  course.stands = [stand]
  const { store } = stand
  const wanted = Number(params.trees)
  while (store.roots.length < wanted && store.nodes < MAX_NODES) {
    const progress = { type: 'progress', units: store.roots.length, of: wanted, note: 'trees on all rows' } as const
    for (const _ of growOne(stand, trial)) yield progress
    yield progress
  }
  course.stage = 'done'
  const model = forestModel(table, [{ store, from: 0, to: store.roots.length }])
  yield { type: 'candidate', validation: course.sums.map(toScore), model, trainedOn: 'all' }
}

/** Returns how many trees every part has. */
async function* growFolds(
  trial: TrialContext,
  table: TrainingTable,
  course: Course,
  stores: readonly TreeStore[],
): AsyncGenerator<TrialEvent, number, void> {
  const { plan } = trial
  const wanted = Number(trial.params.trees)
  course.stands = plan.folds.map(({ train }, i) => standOn(trial, table, table.teaching(train), i, stores[i] ?? null))
  const { stands } = course
  const rows = stands.reduce((sum, { train }) => sum + train.length, 0)
  const stops = rows < MANY_ROWS ? STOPS : [FIRST_STOP, ...STOPS]
  const judges = plan.folds.map(({ validation }) => table.positions(validation))
  let trees = Math.min(...stands.map(({ whole }) => whole.trees))
  for (let full = false; trees < wanted && !full; ) {
    for (const [i, stand] of stands.entries()) {
      if (stand.whole.trees > trees) continue
      const progress = { type: 'progress', units: trees, of: wanted, note: 'trees' } as const
      for (const _ of growOne(stand, trial)) yield progress
      const before = judges.slice(0, i).reduce((sum, rows) => sum + rows.length, 0)
      addVotes(table, stand.store, trees, judges[i], course.sums.subarray(before * table.classes))
      yield progress
    }
    trees++
    full = stands.some(({ store }) => store.nodes >= MAX_NODES)
    // The forest on all rows follows the last tree at once, with the same validation scores.
    if (stops.includes(trees) && trees < wanted && !full) {
      const model = meanModel(table, stands, trees)
      yield { type: 'candidate', validation: course.sums.map((sum) => toScore(sum / trees)), model, trainedOn: 'train' }
    }
  }
  return trees
}

/** Adds one tree's leaf frequencies for `rows` to sums [rows, K]. */
function addVotes(
  { codes, classes }: TrainingTable,
  store: TreeStore,
  tree: number,
  rows: Int32Array,
  sums: Float32Array,
) {
  for (let i = 0; i < rows.length; i++) {
    const leaf = store.leafOf(store.roots[tree], codes, rows[i])
    for (let e = store.left[leaf]; e < store.right[leaf]; e++) sums[i * classes + store.target[e]] += store.weight[e]
  }
}

function standOn(
  trial: TrialContext,
  table: TrainingTable,
  train: Int32Array,
  part: number | 'all',
  store: TreeStore | null,
): Stand {
  const { codes } = table
  const options = forestOptions(trial.params, codes.bins.length, train.length)
  const labels = labelLists(table.targets, table.classes)
  const trees = store ?? new TreeStore()
  return {
    store: trees,
    whole: trees.mark(),
    grower:
      codes.layout === 'dense'
        ? randomTreeGrower(codes, labels, options)
        : sparseRandomTreeGrower(codes, labels, options),
    train,
    weights: rowWeights(table.targets, table.classes, train, codes.rows, Number(trial.params.balance)),
    rng: trial.rng.split(`forest ${part}`),
  }
}

function* growOne(stand: Stand, trial: TrialContext): Generator<void, void, void> {
  const { store, grower, train, weights, rng } = stand
  const random = rng.split(store.roots.length)
  if (trial.params.bootstrap !== true) {
    yield* grower.grow(store, train.slice(), weights, random)
    stand.whole = store.mark()
    return
  }
  const drawn = new Float32Array(weights.length)
  for (let i = 0; i < train.length; i++) {
    const row = train[random.below(train.length)]
    drawn[row] += weights[row]
  }
  yield* grower.grow(
    store,
    train.filter((row) => drawn[row] > 0),
    drawn,
    random,
  )
  stand.whole = store.mark()
}

/** As many trees as one part has, taken from all parts in turn. */
function meanModel(table: TrainingTable, stands: readonly Stand[], trees: number): Model {
  const parts = stands.map(({ store }, i) => {
    const from = Math.floor((i * trees) / stands.length)
    return { store, from, to: Math.floor(((i + 1) * trees) / stands.length) }
  })
  return forestModel(table, parts)
}

function toScore(mean: number): number {
  return Math.min(1, Math.max(0, mean))
}

function saveCourse({ stage, sums, stands }: Course): TrialState {
  return {
    facts: { stage, stands: stands.length },
    arrays: Object.assign({ sums: sums.slice() }, ...stands.map(({ store, whole }, i) => store.save(`${i}/`, whole))),
  }
}

/** Null when there is nothing to resume, or when it belongs to another plan. */
function readCourse(state: TrialState | null, scoreCount: number): { course: Course; stores: TreeStore[] } | null {
  const sums = state?.arrays.sums
  if (!state || !(sums instanceof Float32Array) || sums.length !== scoreCount) return null
  const { stage, stands } = state.facts as { stage: Course['stage']; stands: number }
  const stores = Array.from({ length: stands }, (_, i) => TreeStore.load(state.arrays, `${i}/`) ?? new TreeStore())
  return { course: { stage, sums: sums.slice(), stands: [] }, stores }
}
