// Ridge regression on class indicators with the penalty chosen by the closed form of leave-one-out (Rifkin & Lippert 2007, "Notes on
// regularized least squares"), in the dual: few rows, many features. With K the centred Gram matrix, G = (K + a I)^-1 and
// dual coefficients c = G (y - mean y), the prediction for row i without row i is y_i - a c_i / (a G_ii - 1/n).
import type { Engine } from '../../engine/engine.ts'
import { type BlockProducts, blockProducts, choleskyBlocked, solveLower } from '../common/blocked-cholesky.ts'
import { choleskyInPlace, invertLower } from '../common/cholesky.ts'

export interface RidgeFit {
  penalty: number
  /** [n, m] dual coefficients; each column sums to 0. */
  dual: Float32Array
  /** [m] means of the targets. */
  mean: Float32Array
  /** [n, m] predictions of each row by a fit without it. */
  leaveOneOut: Float32Array
}

/** Penalties from the likeliest on upwards, and those below it downwards. */
export interface PenaltyGrid {
  rising: readonly number[]
  falling: readonly number[]
}

/** One factorisation of up to this many rows is quicker in place than through the engine. */
const SMALL = 400

/** Subtracts row and column means: the Gram matrix of features centred over these rows. [n, n] in place. */
export function centreGram(gram: Float32Array, n: number): Float32Array {
  const means = new Float64Array(n)
  let total = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += gram[i * n + j]
    means[i] = sum / n
    total += sum
  }
  const grand = total / (n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] += grand - means[i] - means[j]
  return gram
}

/**
 * Fits for one penalty after the other and keeps the one that `judge` likes best (higher is better): upwards until two in a row were
 * worse, since a step may be worse by chance, then downwards until one is.
 * @param gram [n, n] centred @param y [n, m]
 */
export async function* fitRidge(
  engine: Engine,
  gram: Float32Array,
  y: Float32Array,
  n: number,
  penalties: PenaltyGrid,
  judge: (leaveOneOut: Float32Array) => number,
): AsyncGenerator<void, RidgeFit, void> {
  const m = y.length / n
  const mean = new Float32Array(m)
  for (let i = 0; i < y.length; i++) mean[i % m] += y[i] / n
  const products = n > SMALL ? await blockProducts(engine) : null
  const best: { fit: RidgeFit | null; score: number } = { fit: null, score: 0 }

  async function* improves(penalty: number): AsyncGenerator<void, boolean, void> {
    const inverse = yield* inverseFactor(products, gram, n, penalty)
    yield
    const fit = solve(inverse, y, mean, n, penalty)
    const score = judge(fit.leaveOneOut)
    yield
    if (best.fit !== null && !(score > best.score)) return false
    best.fit = fit
    best.score = score
    return true
  }

  let worse = 0
  for (const penalty of penalties.rising) {
    if (yield* improves(penalty)) worse = 0
    else if (++worse === 2) break
  }
  for (const penalty of penalties.falling) if (!(yield* improves(penalty))) break
  await products?.release()
  return best.fit!
}

/** L^-1 [n, n] of gram + penalty I = L L'. */
async function* inverseFactor(
  products: BlockProducts | null,
  gram: Float32Array,
  n: number,
  penalty: number,
): AsyncGenerator<void, Float32Array | Float64Array, void> {
  if (products === null) {
    const factor = Float64Array.from(gram)
    for (let i = 0; i < n; i++) factor[i * n + i] += penalty
    choleskyInPlace(factor, n)
    return invertLower(factor, n)
  }
  const factor = yield* choleskyBlocked(products, gram, n, penalty)
  const identity = new Float32Array(n * n)
  for (let i = 0; i < n; i++) identity[i * n + i] = 1
  return yield* solveLower(products, factor, identity, n)
}

function solve(
  inverse: Float32Array | Float64Array,
  y: Float32Array,
  mean: Float32Array,
  n: number,
  penalty: number,
): RidgeFit {
  const m = mean.length
  const half = new Float64Array(n * m)
  const diagonal = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = inverse[i * n + j]
      diagonal[j] += value * value
      for (let k = 0; k < m; k++) half[i * m + k] += value * (y[j * m + k] - mean[k])
    }
  }
  const dual = new Float64Array(n * m)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = inverse[i * n + j]
      for (let k = 0; k < m; k++) dual[j * m + k] += value * half[i * m + k]
    }
  }
  const leaveOneOut = new Float32Array(n * m)
  for (let i = 0; i < n; i++) {
    // With one row nothing is left without it but the mean.
    const kept = Math.max(penalty * diagonal[i] - 1 / n, 1e-6)
    for (let k = 0; k < m; k++) leaveOneOut[i * m + k] = y[i * m + k] - (penalty * dual[i * m + k]) / kept
  }
  return { penalty, dual: Float32Array.from(dual), mean, leaveOneOut }
}
