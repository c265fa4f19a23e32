// Parts of sparse matrices and of target matrices, by row.
import type { Csr } from './csr.ts'

export function takeRows(matrix: Csr, rows: Int32Array): Csr {
  const indptr = new Int32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) {
    indptr[i + 1] = indptr[i] + matrix.indptr[rows[i] + 1] - matrix.indptr[rows[i]]
  }
  const indices = new Int32Array(indptr[rows.length])
  const values = new Float32Array(indptr[rows.length])
  for (let i = 0; i < rows.length; i++) {
    const from = matrix.indptr[rows[i]]
    const to = matrix.indptr[rows[i] + 1]
    indices.set(matrix.indices.subarray(from, to), indptr[i])
    values.set(matrix.values.subarray(from, to), indptr[i])
  }
  return { indptr, indices, values, width: matrix.width }
}

/** @param values [n, width] */
export function takeValues(values: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  return out
}
