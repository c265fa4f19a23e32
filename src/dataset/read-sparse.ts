// SPARSE matrices of chosen rows -> SparseBatch: compressed sparse rows over the flattened position (t, row, col, channel).
// Sparse stays sparse: memory follows the stored entries. Infinite values become NaN and are counted.
import type { SparseBatch } from './batch.ts'
import type { ValueCounts } from './read-dense.ts'
import { visitRows } from './rows.ts'
import { findFeatureList, readNumberLists } from './sequence-example.ts'
import type { RecordIndex } from './tfrecord.ts'
import { type Span, type Wire, WireError } from './wire.ts'

/** Sizes of the flattened axes; where the specification leaves one open, the largest in the data. */
export interface SparseExtent {
  steps: number
  rows: number
  cols: number
  channels: number
}

interface Entries {
  step: number[]
  row: number[]
  col: number[]
  channel: number[]
  value: number[]
}

/** @throws DATA_RECORD */
export function readSparseRows(
  index: RecordIndex,
  matrix: number,
  extent: SparseExtent,
  rows: Int32Array,
  counts: ValueCounts,
): SparseBatch {
  const examples: { indices: Int32Array; values: Float32Array }[] = new Array(rows.length)
  const reader = entryReader(matrix)
  visitRows(index, rows, `${matrix}_sparse_value`, (wire, record, position) => {
    const entries = reader(wire, record)
    const example = compress(entries, extent)
    examples[position] = example
    if (counts.seen[rows[position]] === 0) {
      counts.seen[rows[position]] = 1
      counts.rows++
      countOdd(example.values, counts)
    }
    for (let i = 0; i < example.values.length; i++) {
      if (Math.abs(example.values[i]) === Number.POSITIVE_INFINITY) example.values[i] = Number.NaN
    }
  })
  return concatenate(examples, extent.steps * extent.rows * extent.cols * extent.channels)
}

/** The smallest extent that holds all entries of a split, for axes that the specification leaves open (-1). */
export function measureSparse(index: RecordIndex, matrix: number, extent: SparseExtent): SparseExtent {
  const measured = { ...extent }
  const reader = entryReader(matrix)
  const all = Int32Array.from({ length: index.count }, (_, i) => i)
  const largest = (values: number[], size: number) => values.reduce((most, value) => Math.max(most, value + 1), size)
  visitRows(index, all, `${matrix}_sparse_value`, (wire, record) => {
    const entries = reader(wire, record)
    if (extent.steps < 0) measured.steps = largest(entries.step, measured.steps)
    if (extent.rows < 0) measured.rows = largest(entries.row, measured.rows)
    if (extent.cols < 0) measured.cols = largest(entries.col, measured.cols)
  })
  return measured
}

function entryReader(matrix: number): (wire: Wire, record: Span) => Entries {
  const keys = ['row_index', 'col_index', 'channel_index', 'value'].map((part) =>
    Buffer.from(`${matrix}_sparse_${part}`),
  )
  return (wire, record) => {
    const [row, col, channel, value] = keys.map((key) => {
      const list = findFeatureList(wire, record.start, record.end, key)
      return list === null ? null : readNumberLists(wire, list)
    })
    if (value === null) throw new WireError('is missing')
    const count = value.values.length
    const axis = (name: string, list: typeof row): number[] => {
      if (list === null) return new Array<number>(count).fill(0)
      if (list.values.length === count) return list.values
      throw new WireError(`${name} has ${list.values.length} entries; must be as many as there are values (${count})`)
    }
    const step = new Array<number>(count)
    for (let t = 0, i = 0; t < value.ends.length; t++) while (i < value.ends[t]) step[i++] = t
    return {
      step,
      row: axis('row_index', row),
      col: axis('col_index', col),
      channel: axis('channel_index', channel),
      value: value.values,
    }
  }
}

/** Flattens, checks, sorts and sums duplicates. */
function compress(entries: Entries, extent: SparseExtent): { indices: Int32Array; values: Float32Array } {
  const { steps, rows, cols, channels } = extent
  const count = entries.value.length
  const indices = new Int32Array(count)
  let ascending = true
  for (let i = 0; i < count; i++) {
    const step = inside('step', entries.step[i], steps)
    const row = inside('row_index', entries.row[i], rows)
    const col = inside('col_index', entries.col[i], cols)
    const channel = inside('channel_index', entries.channel[i], channels)
    indices[i] = ((step * rows + row) * cols + col) * channels + channel
    ascending &&= i === 0 || indices[i] > indices[i - 1]
  }
  if (ascending) return { indices, values: Float32Array.from(entries.value) }
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => indices[a] - indices[b] || a - b)
  const merged = new Int32Array(count)
  const values = new Float32Array(count)
  let kept = 0
  for (const i of order) {
    if (kept === 0 || merged[kept - 1] !== indices[i]) merged[kept++] = indices[i]
    values[kept - 1] += entries.value[i]
  }
  return { indices: merged.subarray(0, kept), values: values.subarray(0, kept) }
}

function inside(name: string, position: number, size: number): number {
  if (position >= 0 && position < size) return position
  throw new WireError(`${name} ${position} must be from 0 to ${size - 1}`)
}

function countOdd(values: Float32Array, counts: ValueCounts): void {
  for (const value of values) {
    if (Number.isNaN(value)) counts.nan++
    else if (!Number.isFinite(value)) counts.infinite++
  }
}

function concatenate(examples: { indices: Int32Array; values: Float32Array }[], width: number): SparseBatch {
  const indptr = new Int32Array(examples.length + 1)
  for (let i = 0; i < examples.length; i++) indptr[i + 1] = indptr[i] + examples[i].indices.length
  const indices = new Int32Array(indptr[examples.length])
  const values = new Float32Array(indptr[examples.length])
  for (let i = 0; i < examples.length; i++) {
    indices.set(examples[i].indices, indptr[i])
    values.set(examples[i].values, indptr[i])
  }
  return { layout: 'sparse', indptr, indices, values, width }
}
