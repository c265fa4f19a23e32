// Regularised linear classifiers on sparse rows by dual coordinate descent: logistic loss (Yu, Huang & Lin 2011) and squared
// hinge (Hsieh et al. 2008), one against the rest for all outputs at once. The primal is
//   min_w sum_k [ 1/2 sum_f w_fk^2 / s_fk + C sum_i c_i loss(y_ik, m_ik) ],   m_ik = sum_f x_if w_fk + b_k,
// so w_fk = s_fk sum_i a_ik x_if. Weights are stored [feature, output]: a row's nonzeros are read once for all outputs.
// Per-feature scales s carry the naive Bayes weighting of Wang & Manning (2012): features z = r x with r^2 = s, back in terms
// of x. Left out: shrinking (logistic dual variables are never at a bound).
import type { Rng } from '../../support/rng.ts'
import type { Csr } from './csr.ts'
import { rowCount } from './csr.ts'

export type LinearLoss = 'logistic' | 'squared-hinge'

export interface DualLinearOptions {
  loss: LinearLoss
  /** C, the weight of the losses against the penalty. */
  cost: number
  /** Passes over the rows at most. @default 30 */
  maxEpochs?: number
  /** Stop when an epoch moved the dual variables by less than this share of their sum. @default 0.1: ranks no longer change */
  tolerance?: number
  /** [rows] factors on C of each row. @default all 1 */
  importance?: Float32Array | null
  /** [width, outputs] squared feature scales s; null: 1. */
  scales?: Float32Array | null
  /** Dual variables [rows, outputs] to start from: an earlier, smaller problem's. */
  start?: Float32Array | null
}

export interface LinearWeights {
  /** [width, outputs] */
  weights: Float32Array
  /** [outputs] */
  bias: Float32Array
  /** [rows, outputs] dual variables a. */
  dual: Float32Array
}

/**
 * @param targets [rows, outputs] in [0, 1]; the squared hinge reads them as >= 0.5 or not
 * Yields rows done so far, every few thousand nonzeros times outputs.
 */
export function* fitDualLinear(
  matrix: Csr,
  targets: Float32Array,
  outputs: number,
  options: DualLinearOptions,
  rng: Rng,
): Generator<number, LinearWeights, void> {
  const rows = rowCount(matrix)
  const { indptr, indices, values, width } = matrix
  const { cost, importance = null, scales = null, maxEpochs = 30, tolerance = 0.1 } = options
  const solve = options.loss === 'logistic' ? logisticStep : squaredHingeStep
  const weights = new Float32Array(width * outputs)
  const bias = new Float32Array(outputs)
  const dual = new Float32Array(rows * outputs)
  const lengths = squaredLengths(matrix, outputs, scales)
  if (options.start) restart(matrix, outputs, scales, options.start, dual, weights, bias)

  const order = rng.permutation(rows)
  const margins = new Float64Array(outputs)
  const steps = new Float64Array(outputs)
  const workPerYield = 4_000_000
  let work = 0
  let done = 0
  for (let epoch = 0; epoch < maxEpochs; epoch++) {
    let moved = 0
    let size = 0
    rng.shuffle(order)
    for (let o = 0; o < rows; o++) {
      const row = order[o]
      const start = indptr[row]
      const end = indptr[row + 1]
      readMargins(indices, values, start, end, weights, bias, outputs, margins)
      const rowCost = importance === null ? cost : cost * importance[row]
      for (let k = 0; k < outputs; k++) {
        const at = row * outputs + k
        const a = dual[at]
        const next = solve(a, margins[k], lengths[scales === null ? row : at], targets[at], rowCost)
        dual[at] = next
        steps[k] = dual[at] - a
        moved += Math.abs(steps[k])
        size += Math.abs(next)
      }
      addRow(indices, values, start, end, steps, scales, outputs, weights)
      for (let k = 0; k < outputs; k++) bias[k] += steps[k]
      done++
      work += (end - start + 8) * outputs
      if (work > workPerYield) {
        work = 0
        yield done
      }
    }
    if (moved <= tolerance * size) break
  }

  return { weights, bias, dual }
}

/** Margins [rows, outputs] of a linear model. */
export function linearMargins(
  matrix: Csr,
  model: Pick<LinearWeights, 'weights' | 'bias'>,
  outputs: number,
): Float32Array {
  const rows = rowCount(matrix)
  const out = new Float32Array(rows * outputs)
  const margins = new Float64Array(outputs)
  for (let row = 0; row < rows; row++) {
    const start = matrix.indptr[row]
    readMargins(
      matrix.indices,
      matrix.values,
      start,
      matrix.indptr[row + 1],
      model.weights,
      model.bias,
      outputs,
      margins,
    )
    out.set(margins, row * outputs)
  }
  return out
}

function readMargins(
  indices: Int32Array,
  values: Float32Array,
  start: number,
  end: number,
  weights: Float32Array,
  bias: Float32Array,
  outputs: number,
  margins: Float64Array,
): void {
  if (outputs === 1) {
    let sum = bias[0]
    for (let at = start; at < end; at++) sum += values[at] * weights[indices[at]]
    margins[0] = sum
    return
  }
  for (let k = 0; k < outputs; k++) margins[k] = bias[k]
  let at = start
  // Four nonzeros at a time: the sums are loaded and stored once for all four.
  for (; at + 3 < end; at += 4) {
    const x0 = values[at]
    const x1 = values[at + 1]
    const x2 = values[at + 2]
    const x3 = values[at + 3]
    const b0 = indices[at] * outputs
    const b1 = indices[at + 1] * outputs
    const b2 = indices[at + 2] * outputs
    const b3 = indices[at + 3] * outputs
    for (let k = 0; k < outputs; k++) {
      margins[k] += x0 * weights[b0 + k] + x1 * weights[b1 + k] + x2 * weights[b2 + k] + x3 * weights[b3 + k]
    }
  }
  for (; at < end; at++) {
    const x = values[at]
    const base = indices[at] * outputs
    for (let k = 0; k < outputs; k++) margins[k] += x * weights[base + k]
  }
}

function addRow(
  indices: Int32Array,
  values: Float32Array,
  start: number,
  end: number,
  steps: Float64Array,
  scales: Float32Array | null,
  outputs: number,
  weights: Float32Array,
): void {
  if (scales === null) {
    for (let at = start; at < end; at++) {
      const x = values[at]
      const base = indices[at] * outputs
      let k = 0
      for (; k + 3 < outputs; k += 4) {
        weights[base + k] += x * steps[k]
        weights[base + k + 1] += x * steps[k + 1]
        weights[base + k + 2] += x * steps[k + 2]
        weights[base + k + 3] += x * steps[k + 3]
      }
      for (; k < outputs; k++) weights[base + k] += x * steps[k]
    }
    return
  }
  for (let at = start; at < end; at++) {
    const x = values[at]
    const base = indices[at] * outputs
    for (let k = 0; k < outputs; k++) weights[base + k] += x * steps[k] * scales[base + k]
  }
}

/** q: squared length of each row in the scaled space, bias included; [rows] without scales, else [rows, outputs]. */
function squaredLengths(matrix: Csr, outputs: number, scales: Float32Array | null): Float32Array {
  const rows = rowCount(matrix)
  const { indptr, indices, values } = matrix
  const lengths = new Float32Array(scales === null ? rows : rows * outputs).fill(1)
  for (let row = 0; row < rows; row++) {
    for (let at = indptr[row]; at < indptr[row + 1]; at++) {
      const square = values[at] * values[at]
      if (scales === null) lengths[row] += square
      else for (let k = 0; k < outputs; k++) lengths[row * outputs + k] += square * scales[indices[at] * outputs + k]
    }
  }
  return lengths
}

function restart(
  matrix: Csr,
  outputs: number,
  scales: Float32Array | null,
  start: Float32Array,
  dual: Float32Array,
  weights: Float32Array,
  bias: Float32Array,
): void {
  dual.set(start)
  const steps = new Float64Array(outputs)
  for (let row = 0; row < rowCount(matrix); row++) {
    for (let k = 0; k < outputs; k++) {
      steps[k] = start[row * outputs + k]
      bias[k] += steps[k]
    }
    addRow(matrix.indices, matrix.values, matrix.indptr[row], matrix.indptr[row + 1], steps, scales, outputs, weights)
  }
}

/**
 * The dual variable that solves a = C (y - sigmoid(m + (a - a0) q)): the root of an increasing function, by Newton steps kept
 * inside its bracket [C (y - 1), C y].
 */
function logisticStep(a0: number, margin: number, q: number, y: number, cost: number): number {
  let low = cost * (y - 1)
  let high = cost * y
  let a = a0 < low ? low : a0 > high ? high : a0
  for (let step = 0; step < 12; step++) {
    const p = 1 / (1 + Math.exp(-(margin + (a - a0) * q)))
    const gap = a - cost * (y - p)
    if (gap > 0) high = a
    else low = a
    let next = a - gap / (1 + cost * q * p * (1 - p))
    if (next < low || next > high) next = (low + high) / 2
    if (Math.abs(next - a) <= 1e-3 * cost * (Math.abs(a) / cost + 1e-3)) return next
    a = next
  }
  return a
}

/** The exact minimum of one coordinate of the squared hinge's dual: y a >= 0, diagonal 1 / 2C. */
function squaredHingeStep(a0: number, margin: number, q: number, target: number, cost: number): number {
  const y = target >= 0.5 ? 1 : -1
  const gradient = y * margin - 1 + (y * a0) / (2 * cost)
  const next = y * a0 - gradient / (q + 1 / (2 * cost))
  return next > 0 ? y * next : 0
}
