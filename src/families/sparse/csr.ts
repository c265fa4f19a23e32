// Compressed sparse rows in memory, as the sparse learners read them.

export interface Csr {
  /** [rows + 1] */
  indptr: Int32Array
  /** [nnz], no column twice in a row. */
  indices: Int32Array
  /** [nnz] */
  values: Float32Array
  /** Columns. */
  width: number
}

export function rowCount(matrix: Csr): number {
  return matrix.indptr.length - 1
}

/** Examples in which each column is stored, [width]. */
export function documentFrequencies(matrix: Csr): Int32Array {
  const counts = new Int32Array(matrix.width)
  for (let at = 0; at < matrix.indices.length; at++) counts[matrix.indices[at]]++
  return counts
}

/** Scales every row to Euclidean length 1, in place; empty rows stay empty. */
export function normaliseRows(matrix: Csr): Csr {
  const { indptr, values } = matrix
  for (let row = 0; row < rowCount(matrix); row++) {
    let sum = 0
    for (let at = indptr[row]; at < indptr[row + 1]; at++) sum += values[at] * values[at]
    if (sum === 0) continue
    const scale = 1 / Math.sqrt(sum)
    for (let at = indptr[row]; at < indptr[row + 1]; at++) values[at] *= scale
  }
  return matrix
}
