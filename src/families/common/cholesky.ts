// Cholesky factors of small symmetric positive definite matrices, in float64 on one thread (Golub & Van Loan, section 4.2).
// For matrices beyond a few hundred rows see blocked-cholesky.ts, which hands the products to the engine.

/**
 * Factors a in place: the lower triangle becomes L with L L' = a; the upper triangle is left as it was.
 * A pivot that rounding made non-positive is replaced by `floor` times the largest diagonal entry, so that a nearly singular
 * matrix is damped in those directions instead of refused.
 * @param a [n, n] row-major, symmetric
 */
export function choleskyInPlace(a: Float64Array, n: number, floor = 1e-12): void {
  let largest = 0
  for (let i = 0; i < n; i++) largest = Math.max(largest, a[i * n + i])
  const smallest = Math.max(largest * floor, Number.MIN_VALUE)
  for (let j = 0; j < n; j++) {
    const rowJ = j * n
    for (let i = j; i < n; i++) {
      const rowI = i * n
      let sum = a[rowI + j]
      for (let k = 0; k < j; k++) sum -= a[rowI + k] * a[rowJ + k]
      if (i === j) a[rowJ + j] = Math.sqrt(Math.max(sum, smallest))
      else a[rowI + j] = sum / a[rowJ + j]
    }
  }
}

/** Solves L L' x = b for the columns of b [n, m], in place. `l` as choleskyInPlace leaves it. */
export function choleskySolveInPlace(l: Float64Array, n: number, b: Float64Array, m: number): void {
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtractRow(b, i, k, m, l[i * n + k])
    scaleRow(b, i, m, 1 / l[i * n + i])
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtractRow(b, i, k, m, l[k * n + i])
    scaleRow(b, i, m, 1 / l[i * n + i])
  }
}

/** L^-1 [n, n], lower triangular (upper part 0), of a factor as choleskyInPlace leaves it. */
export function invertLower(l: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const pivot = 1 / l[i * n + i]
    for (let k = 0; k < i; k++) {
      const factor = l[i * n + k] * pivot
      if (factor !== 0) for (let j = 0; j <= k; j++) inverse[i * n + j] -= factor * inverse[k * n + j]
    }
    inverse[i * n + i] = pivot
  }
  return inverse
}

function subtractRow(b: Float64Array, target: number, source: number, m: number, factor: number): void {
  if (factor === 0) return
  const t = target * m
  const s = source * m
  for (let j = 0; j < m; j++) b[t + j] -= factor * b[s + j]
}

function scaleRow(b: Float64Array, row: number, m: number, factor: number): void {
  for (let j = row * m; j < (row + 1) * m; j++) b[j] *= factor
}
