// The linear head on standardised features: ridge on indicators of -1 and 1, its scores made probabilities by a scale chosen on
// leave-one-out predictions.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { gemm, mul, sub } from '../../graph/functions.ts'
import { nauc } from '../../metrics/nauc.ts'
import type { Rng } from '../../support/rng.ts'
import { blockProducts, choleskyBlocked, solveLower, solveUpper } from '../common/blocked-cholesky.ts'
import { logLoss } from '../common/calibration.ts'
import { type Targets, targetsOf } from '../common/label-statistics.ts'
import type { FitProgress } from '../common/train-classical.ts'
import type { FrontEnd, TrialContext } from '../family.ts'
import { chooseScale, marginScores, marginScoresGraph, outputCount, outputTargets } from '../sparse/margin-scores.ts'
import { featureProducts, type Products } from './gram.ts'
import { centreGram, fitRidge, type PenaltyGrid } from './ridge.ts'

export interface RocketFeatures {
  front: FrontEnd
  /** [trainCount, width] */
  values: Float32Array
  width: number
}

export interface RidgeHead {
  predict(rows: Int32Array): Promise<Float32Array>
  /** x [n, width] -> scores [n, K] */
  build(g: GraphBuilder, x: Value): Value
}

/** Rows up to which the head is solved through the Gram matrix of rows. */
const DUAL_ROWS = 2500
/** Times a hundredth of the mean diagonal of the Gram matrix, from the middle of a log grid outwards. */
const PENALTIES: PenaltyGrid = { rising: [1, 10, 100, 1000], falling: [0.1, 0.01, 1e-3, 1e-4] }
/** Features that hardly vary carry rounding, not information. */
const LEAST_DEVIATION = 1e-4

export async function* fitHead(
  trial: TrialContext,
  features: RocketFeatures,
  rows: Int32Array,
  targets: Targets,
  rng: Rng,
): AsyncGenerator<FitProgress, RidgeHead, void> {
  const { width, values } = features
  const { link, classCount } = targets
  const outputs = outputCount(link, classCount)
  const products = await featureProducts(trial.engine)
  const { mean, inverse } = standards(values, width, rows)
  const z = standardised(values, width, rows, mean, inverse)
  yield { done: 0, of: null, note: 'features standardised' }

  const dualRows = rows.length <= DUAL_ROWS ? null : rng.permutation(rows.length).slice(0, DUAL_ROWS).sort()
  const part = dualRows === null ? z : takeRows(z, width, dualRows)
  const partTargets = dualRows === null ? targets : targetsOf(link, targets.values, classCount, dualRows)
  const n = dualRows?.length ?? rows.length
  const gram = centreGram(yield* noted(products.timesTransposed(part, part, width), 'gram matrix'), n)
  let trace = 0
  for (let i = 0; i < n; i++) trace += gram[i * n + i]
  const unit = Math.max(trace / n, 1e-6)
  const signs = signed(outputTargets(partTargets))
  const judge = (loo: Float32Array) => judged(loo, partTargets)
  const scaled = (penalties: readonly number[]) => penalties.map((p) => p * 0.01 * unit)
  const penalties = { rising: scaled(PENALTIES.rising), falling: scaled(PENALTIES.falling) }
  const fit = yield* noted(fitRidge(trial.engine, gram, signs, n, penalties, judge), 'penalties')
  const scale = chooseScale(fit.leaveOneOut, partTargets)

  let weights: Float32Array
  let offset: Float32Array
  if (dualRows === null) {
    weights = yield* noted(products.transposedTimes(z, fit.dual, width, outputs), 'weights')
    offset = fit.mean
  } else {
    const whole = signed(outputTargets(targets))
    const primal = yield* noted(solvePrimal(trial, products, z, whole, width, fit.penalty), 'weights')
    weights = primal.weights
    offset = primal.mean
  }
  await products.release()
  // Standardisation used the mean over these rows, so that the centred fit's intercept is the mean target.
  const bias = offset
  return {
    async predict(asked) {
      const rowsOf = standardised(values, width, asked, mean, inverse)
      return marginScores(margins(rowsOf, width, weights, bias), link, classCount, scale)
    },
    build(g, x) {
      const centred = sub(g, x, g.constant(mean, [width]))
      const scaled = mul(g, centred, g.constant(inverse, [width]))
      const product = gemm(g, scaled, g.constant(weights, [width, outputs]), g.constant(bias, [outputs]))
      return marginScoresGraph(g, product, link, classCount, scale)
    },
  }
}

/** Higher is better: NAUC, ties broken by how well scores are told apart. */
function judged(loo: Float32Array, targets: Targets): number {
  const { link, classCount, values } = targets
  const scale = chooseScale(loo, targets)
  const scores = marginScores(loo, link, classCount, scale)
  const spread = link === 'softmax' && scores.length === loo.length ? logLoss(loo, targets, scale) : 0
  return nauc(values, scores, classCount) - 0.01 * spread
}

/** Weights of all rows by the normal equations: (Z'Z + a I) w = Z'(y - mean y), Z of mean 0. */
async function* solvePrimal(
  trial: TrialContext,
  products: Products,
  z: Float32Array,
  y: Float32Array,
  width: number,
  penalty: number,
): AsyncGenerator<void, { weights: Float32Array; mean: Float32Array }, void> {
  const n = z.length / width
  const m = y.length / n
  const mean = new Float32Array(m)
  for (let i = 0; i < y.length; i++) mean[i % m] += y[i] / n
  const centred = y.map((value, i) => value - mean[i % m])
  const gram = yield* products.transposedTimes(z, z, width, width)
  const right = yield* products.transposedTimes(z, centred, width, m)
  const blocks = await blockProducts(trial.engine)
  const factor = yield* choleskyBlocked(blocks, gram, width, penalty)
  const half = yield* solveLower(blocks, factor, right, m)
  const weights = yield* solveUpper(blocks, factor, half, m)
  await blocks.release()
  return { weights, mean }
}

function signed(targets: Float32Array): Float32Array {
  return targets.map((value) => 2 * value - 1)
}

/** Mean and inverse deviation of each feature over `rows`; 0 for features that hardly vary. */
function standards(values: Float32Array, width: number, rows: Int32Array) {
  const sum = new Float64Array(width)
  const squares = new Float64Array(width)
  for (const row of rows) {
    const from = row * width
    for (let f = 0; f < width; f++) {
      const value = values[from + f]
      sum[f] += value
      squares[f] += value * value
    }
  }
  const n = Math.max(1, rows.length)
  const mean = Float32Array.from(sum, (total) => total / n)
  const inverse = Float32Array.from(squares, (total, f) => {
    const deviation = Math.sqrt(Math.max(0, total / n - (sum[f] / n) ** 2))
    return deviation > LEAST_DEVIATION ? 1 / deviation : 0
  })
  return { mean, inverse }
}

function standardised(
  values: Float32Array,
  width: number,
  rows: Int32Array,
  mean: Float32Array,
  inverse: Float32Array,
): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * width
    const to = i * width
    for (let f = 0; f < width; f++) out[to + f] = (values[from + f] - mean[f]) * inverse[f]
  }
  return out
}

function takeRows(z: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) out.set(z.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  return out
}

function margins(z: Float32Array, width: number, weights: Float32Array, bias: Float32Array): Float32Array {
  const m = bias.length
  const n = z.length / width
  const out = new Float32Array(n * m)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < m; k++) {
      let sum = bias[k]
      for (let f = 0; f < width; f++) sum += z[i * width + f] * weights[f * m + k]
      out[i * m + k] = sum
    }
  }
  return out
}

async function* noted<R>(work: AsyncGenerator<void, R, void>, note: string): AsyncGenerator<FitProgress, R, void> {
  let done = 0
  for (;;) {
    const step = await work.next()
    if (step.done) return step.value
    yield { done: ++done, of: null, note }
  }
}
