// Gradient boosting over codes: each round adds trees that follow the loss downhill (Friedman 2001). Two ways with many outputs:
// 'separate', a tree per margin and round, or 'shared', one tree per round whose leaves hold all margins and whose structure is
// found on a few random combinations of the gradients (Iosipoi & Vakhrushev 2022, SketchBoost, random projection): with K classes
// a round costs a K-th. Rows may be subsampled by round, features by tree. Validation rows ride along.

import type { Rng } from '../../support/rng.ts'
import { balancedWeights } from '../common/balance.ts'
import type { Link } from '../common/label-statistics.ts'
import type { TrialState } from '../family.ts'
import type { Codes } from './codes.ts'
import { type Gradients, type GrownLeaf, type LeafwiseOptions, leafwiseGrower } from './leafwise.ts'
import { gradientsOf, type Objective, objectiveFor } from './objective.ts'
import { TreeStore } from './tree-store.ts'

export interface BoosterOptions extends LeafwiseOptions {
  learningRate: number
  outputs: 'separate' | 'shared'
  /** Gradient combinations that decide a shared structure. */
  sketch: number
  rowShare: number
  featureShare: number
  /** 0: rows count alike; 1: classes count alike. */
  balance: number
}

export interface Booster {
  readonly store: TreeStore
  readonly objective: Objective
  /** [codes.rows, objective.margins], kept up to date for training and watched rows. */
  readonly margins: Float32Array
  readonly rounds: number
  readonly trainCount: number
  /** Row-features and row-margins that one step visits, roughly. */
  readonly stepWork: number
  /** Adds one tree, yielding as it goes. Rounds are complete when every margin has had its tree. */
  step(): Generator<void, void, void>
  /** The trees of all whole rounds, named for a trial's saved state. */
  save(prefix: string): TrialState['arrays']
}

export interface BoosterInput {
  codes: Codes
  /** [codes.rows, K] */
  labels: Float32Array
  classes: number
  /** One class per row, or a question per class. */
  link: Link
  train: Int32Array
  /** Rows outside `train` whose margins are wanted too. */
  watched: Int32Array
  options: BoosterOptions
  rng: Rng
  /** Trees of the whole rounds of an earlier run of the same booster. */
  store: TreeStore | null
}

export function createBooster(input: BoosterInput): Booster {
  const { codes, labels, classes, train, watched, options } = input
  const weights = rowWeights(labels, classes, train, codes.rows, options.balance)
  const objective = objectiveFor(labels, classes, input.link, train, weights)
  const width = objective.margins
  const margins = new Float32Array(codes.rows * width)
  for (let i = 0; i < codes.rows; i++) margins.set(objective.start, i * width)
  const store = input.store ?? new TreeStore()
  if (store.roots.length > 0) {
    store.addScores(codes, train, margins, width)
    store.addScores(codes, watched, margins, width)
  }
  const grower = leafwiseGrower(codes, options)
  const learned = indicesOf(objective.learnable)
  const shared = options.outputs === 'shared' && learned.length > 2
  const first = new Float32Array(codes.rows * width)
  const second = new Float32Array(codes.rows * width)
  const structure = gradientBuffers(shared ? Math.min(options.sketch, learned.length) : 1, codes.rows)
  const rows = train.slice()
  /** Rows of this round, those of its bag first; every tree starts from this order, which reads memory forwards. */
  const order = train.slice()
  const gradientSum = new Float64Array(width)
  const hessianSum = new Float64Array(width)
  const values = new Float32Array(width)
  let bagged = train.length
  let turn = 0
  let rounds = Math.floor(store.roots.length / (shared ? 1 : Math.max(1, learned.length)))
  let whole = store.mark()

  function startRound(rng: Rng): void {
    if (options.rowShare < 1) bagged = bag(train, order, options.rowShare, rng)
    gradientsOf(objective, margins, labels, weights, train, first, second)
  }

  function* step(): Generator<void, void, void> {
    if (learned.length === 0 || train.length === 0) {
      rounds++
      return
    }
    const rng = input.rng.split(`${rounds}/${turn}`)
    if (turn === 0) startRound(rng)
    const used = featureBag(codes.bins.length, options.featureShare, rng)
    const from = store.roots.length
    rows.set(order)
    if (shared) sketch(structure, first, second, width, rows, bagged, learned, rng)
    else single(structure, first, second, width, rows, bagged, learned[turn])
    const outputs = shared ? learned : learned.subarray(turn, turn + 1)
    const grown = yield* grower.grow(store, rows, bagged, structure, used)
    for (const leaf of grown.leaves) writeLeaf(leaf, outputs)
    if (bagged < rows.length) store.addScores(codes, rows.subarray(bagged), margins, width, from)
    store.addScores(codes, watched, margins, width, from)
    turn = shared ? 0 : (turn + 1) % learned.length
    if (turn !== 0) return
    rounds++
    whole = store.mark()
  }

  /** Newton's step of every output from the leaf's exact sums. */
  function writeLeaf({ node, begin, end }: GrownLeaf, outputs: Int32Array): void {
    const low = outputs[0]
    const high = outputs[outputs.length - 1]
    gradientSum.fill(0)
    hessianSum.fill(0)
    if (low === high) {
      // A single margin's derivatives lie side by side in the buffers that the structure was found on.
      const gradient = structure.first[0]
      for (let i = begin; i < end; i++) {
        gradientSum[low] += gradient[rows[i]]
        hessianSum[low] += structure.second[rows[i]]
      }
    } else {
      for (let i = begin; i < end; i++) {
        const at = rows[i] * width
        for (let m = low; m <= high; m++) {
          gradientSum[m] += first[at + m]
          hessianSum[m] += second[at + m]
        }
      }
    }
    store.openLeaf(node)
    values.fill(0)
    for (const m of outputs) {
      values[m] = (-options.learningRate * gradientSum[m]) / (hessianSum[m] + options.l2)
      store.addEntry(node, m, values[m])
    }
    for (let i = begin; i < end; i++) {
      const at = rows[i] * width
      for (let m = low; m <= high; m++) margins[at + m] += values[m]
    }
  }

  return {
    store,
    objective,
    margins,
    get rounds() {
      return rounds
    },
    trainCount: train.length,
    stepWork: (train.length + 500) * (4 + featuresPerRow(codes) * options.featureShare + (shared ? 5 * width : 3)),
    step,
    save: (prefix) => store.save(prefix, whole),
  }
}

/** [rows] balanced weights of the training rows; 1 elsewhere. */
export function rowWeights(
  labels: Float32Array,
  classes: number,
  train: Int32Array,
  rows: number,
  balance: number,
): Float32Array {
  const weights = new Float32Array(rows).fill(1)
  balancedWeights(labels, classes, train, balance).forEach((weight, i) => {
    weights[train[i]] = weight
  })
  return weights
}

/** Writes `train` to `order`, a random share of it first, both parts ascending. Returns how many are in that share. */
function bag(train: Int32Array, order: Int32Array, share: number, rng: Rng): number {
  const outside = new Int32Array(train.length)
  let n = 0
  let m = 0
  for (const row of train) {
    if (rng.uniform() < share) order[n++] = row
    else outside[m++] = row
  }
  order.set(outside.subarray(0, m), n)
  return n > 0 ? n : train.length
}

function featureBag(count: number, share: number, rng: Rng): Int32Array {
  const all = Int32Array.from({ length: count }, (_, f) => f)
  if (share >= 1) return all
  return rng
    .shuffle(all)
    .slice(0, Math.max(1, Math.round(count * share)))
    .sort()
}

function gradientBuffers(dims: number, rows: number): Gradients {
  return { first: Array.from({ length: dims }, () => new Float32Array(rows)), second: new Float32Array(rows) }
}

/** The gradient of one margin. */
function single(
  to: Gradients,
  first: Float32Array,
  second: Float32Array,
  width: number,
  rows: Int32Array,
  count: number,
  margin: number,
): void {
  const gradient = to.first[0]
  for (let i = 0; i < count; i++) {
    const row = rows[i]
    gradient[row] = first[row * width + margin]
    to.second[row] = second[row * width + margin]
  }
}

/** Random combinations of the learnable margins' gradients; the hessian is their sum. */
function sketch(
  to: Gradients,
  first: Float32Array,
  second: Float32Array,
  width: number,
  rows: Int32Array,
  count: number,
  learned: Int32Array,
  rng: Rng,
): void {
  const dims = to.first.length
  const mix = Array.from({ length: dims }, () => new Float64Array(width))
  for (const m of learned) for (let d = 0; d < dims; d++) mix[d][m] = rng.normal() / Math.sqrt(dims)
  // Up to three combinations a pass: the gradients are the largest array here.
  for (let d = 0; d < dims; d += 3) {
    const [a, b, c] = [mix[d], mix[Math.min(d + 1, dims - 1)], mix[Math.min(d + 2, dims - 1)]]
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      const at = row * width
      let sumA = 0
      let sumB = 0
      let sumC = 0
      for (let m = 0; m < width; m++) {
        const gradient = first[at + m]
        sumA += a[m] * gradient
        sumB += b[m] * gradient
        sumC += c[m] * gradient
      }
      to.first[d][row] = sumA
      if (d + 1 < dims) to.first[d + 1][row] = sumB
      if (d + 2 < dims) to.first[d + 2][row] = sumC
    }
  }
  for (let i = 0; i < count; i++) {
    const at = rows[i] * width
    let curvature = 0
    for (let m = 0; m < width; m++) curvature += second[at + m]
    to.second[rows[i]] = curvature
  }
}

function featuresPerRow(codes: Codes): number {
  return codes.layout === 'dense' ? codes.bins.length : codes.features.length / Math.max(1, codes.rows)
}

function indicesOf(flags: Uint8Array): Int32Array {
  return Int32Array.from([...flags.keys()].filter((i) => flags[i] === 1))
}
