// Pictures of a task whose sampled pictures all have one size, made to have it: a model then declares that size, and a stray picture
// of another one, which the sample did not show, is resampled (bilinear, half-pixel centres) instead of ending the run.
import type { DenseBatch, MatrixBatch } from '../dataset/batch.ts'
import type { MatrixProfile } from '../dataset/profile.ts'

/** The batch itself unless a picture strays. */
export function conformPictures(batch: MatrixBatch, matrix: MatrixProfile): MatrixBatch {
  if (batch.layout !== 'dense' || matrix.spec.format !== 'COMPRESSED' || !matrix.fixed) return batch
  const rows = matrix.rows.max
  const cols = matrix.cols.max
  const { shapes } = batch
  const strays = (i: number) => shapes[i * 4 + 1] !== rows || shapes[i * 4 + 2] !== cols
  const count = shapes.length / 4
  if (!Array.from({ length: count }, (_, i) => i).some(strays)) return batch

  const conformed = shapes.slice()
  const offsets = new Float64Array(count + 1)
  for (let i = 0; i < count; i++) {
    conformed[i * 4 + 1] = rows
    conformed[i * 4 + 2] = cols
    offsets[i + 1] = offsets[i] + shapes[i * 4] * rows * cols * shapes[i * 4 + 3]
  }
  const data = new Uint8Array(offsets[count])
  for (let i = 0; i < count; i++) {
    if (strays(i)) resample(batch, i, rows, cols, data, offsets[i])
    else data.set(batch.data.subarray(batch.offsets[i], batch.offsets[i + 1]), offsets[i])
  }
  return { layout: 'dense', data, offsets, shapes: conformed }
}

function resample(batch: DenseBatch, i: number, rows: number, cols: number, into: Uint8Array, at: number): void {
  const [steps, fromRows, fromCols, channels] = batch.shapes.subarray(i * 4, i * 4 + 4)
  if (fromRows === 0 || fromCols === 0) return
  const { data } = batch
  for (let t = 0; t < steps; t++) {
    const origin = batch.offsets[i] + t * fromRows * fromCols * channels
    for (let r = 0; r < rows; r++) {
      const [top, bottom, down] = neighbours(r, rows, fromRows)
      for (let c = 0; c < cols; c++) {
        const [left, right, across] = neighbours(c, cols, fromCols)
        for (let k = 0; k < channels; k++) {
          const value = (row: number, col: number) => data[origin + (row * fromCols + col) * channels + k]
          const upper = value(top, left) * (1 - across) + value(top, right) * across
          const lower = value(bottom, left) * (1 - across) + value(bottom, right) * across
          into[at + ((t * rows + r) * cols + c) * channels + k] = Math.round(upper * (1 - down) + lower * down)
        }
      }
    }
  }
}

/** The two source positions around target position i, and the weight of the second. */
function neighbours(i: number, size: number, fromSize: number): [number, number, number] {
  const x = Math.min(fromSize - 1, Math.max(0, ((i + 0.5) * fromSize) / size - 0.5))
  const low = Math.floor(x)
  return [low, Math.min(fromSize - 1, low + 1), x - low]
}
