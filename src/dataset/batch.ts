// Examples in memory, one matrix of the specification at a time. Ragged by default: examples may differ in size.

export type SplitName = 'train' | 'test'

/** Dense values of b examples, concatenated; example i is data[offsets[i] .. offsets[i+1]), row-major [t, rows, cols, channels]. */
export interface DenseBatch {
  layout: 'dense'
  /** Pictures are uint8 (their value is data/255), everything else float32. */
  data: Float32Array | Uint8Array
  /** [b + 1], in elements of `data`. */
  offsets: Float64Array
  /** [b, 4]: steps, rows, cols, channels of each example. */
  shapes: Int32Array
}

/** Compressed sparse rows of b examples; a column is the flattened position (t, row, col, channel), row-major. */
export interface SparseBatch {
  layout: 'sparse'
  /** [b + 1] */
  indptr: Int32Array
  /** [nnz], ascending within an example, duplicates summed. */
  indices: Int32Array
  /** [nnz] */
  values: Float32Array
  /** Length of a flattened example. */
  width: number
}

export type MatrixBatch = DenseBatch | SparseBatch
