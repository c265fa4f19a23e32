// All matrices of a task as one sparse table: the flattened matrices side by side, zeros and missing values left out.
import type { MatrixBatch } from '../../dataset/batch.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { Csr } from './csr.ts'

/** Flattened length of each matrix; null when an example's size varies. */
export function tableWidths(profile: TaskProfile): number[] | null {
  const widths: number[] = []
  for (const { steps, rows, cols, channels, fixed, spec } of profile.matrices) {
    if (!fixed && spec.format !== 'SPARSE') return null
    widths.push(steps.max * rows.max * cols.max * channels)
  }
  return widths
}

/** @param batches one per matrix, of the same examples */
export function tableRows(batches: readonly MatrixBatch[], widths: readonly number[]): Csr {
  const count = exampleCount(batches[0])
  const width = widths.reduce((sum, each) => sum + each, 0)
  const first = batches[0]
  if (batches.length === 1 && first.layout === 'sparse' && !first.values.some((value) => !Number.isFinite(value))) {
    return { indptr: first.indptr, indices: first.indices, values: first.values, width }
  }
  const indptr = new Int32Array(count + 1)
  for (let row = 0; row < count; row++) {
    let stored = 0
    for (const batch of batches) eachStored(batch, row, () => stored++)
    indptr[row + 1] = indptr[row] + stored
  }
  const indices = new Int32Array(indptr[count])
  const values = new Float32Array(indptr[count])
  let at = 0
  for (let row = 0; row < count; row++) {
    let base = 0
    for (const [i, batch] of batches.entries()) {
      eachStored(batch, row, (column, value) => {
        indices[at] = base + column
        values[at++] = value
      })
      base += widths[i]
    }
  }
  return { indptr, indices, values, width }
}

function exampleCount(batch: MatrixBatch): number {
  return batch.layout === 'sparse' ? batch.indptr.length - 1 : batch.offsets.length - 1
}

function eachStored(batch: MatrixBatch, row: number, visit: (column: number, value: number) => void): void {
  if (batch.layout === 'sparse') {
    for (let at = batch.indptr[row]; at < batch.indptr[row + 1]; at++) {
      if (Number.isFinite(batch.values[at])) visit(batch.indices[at], batch.values[at])
    }
    return
  }
  const from = batch.offsets[row]
  for (let at = from; at < batch.offsets[row + 1]; at++) {
    const value = batch.data[at]
    if (value !== 0 && Number.isFinite(value)) visit(at - from, value)
  }
}
