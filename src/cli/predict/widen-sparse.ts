// Sparse examples moved into a grid with more rows and cols: where the metadata leave a size open, it is what the data at hand hold
// at most, while a model has the size of the data that it learned from. Positions beyond what is stored are zeros.
import type { SparseBatch } from '../../dataset/batch.ts'

export interface Grid {
  rows: number
  cols: number
}

/** Positions are (t, row, col, channel), flattened. The batch itself where no position moves. */
export function widenSparse(batch: SparseBatch, from: Grid, to: Grid, channels: number): SparseBatch {
  if (from.rows === to.rows && from.cols === to.cols) return batch
  const [line, area] = [from.cols * channels, from.rows * from.cols * channels]
  const [toLine, toArea] = [to.cols * channels, to.rows * to.cols * channels]
  const indices = batch.indices.map((position) => {
    const inStep = position % area
    return Math.floor(position / area) * toArea + Math.floor(inStep / line) * toLine + (inStep % line)
  })
  return { ...batch, indices, width: (batch.width / area) * toArea }
}
