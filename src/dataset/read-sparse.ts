// SPARSE matrices of chosen rows -> SparseBatch: compressed sparse rows over the flattened position (t, row, col, channel).
// Sparse stays sparse: memory follows the stored entries. Infinite values become NaN and are counted.
import type { SparseBatch } from './batch.ts'
import type { ValueCounts } from './read-dense.ts'
import { visitRows } from './rows.ts'
import { findFeatureList, readNumberLists, readPackedFloats, readPackedInts } from './sequence-example.ts'
import type { RecordIndex } from './tfrecord.ts'
import { type Span, type Wire, WireError } from './wire.ts'

/** Sizes of the flattened axes; where the specification leaves one open, the largest in the data. */
export interface SparseExtent {
  steps: number
  rows: number
  cols: number
  channels: number
}

/** One example's entries as stored; the arrays are reused, `count` of each is valid. */
interface Entries {
  count: number
  step: Int32Array
  row: Int32Array
  col: Int32Array
  channel: Int32Array
  value: Float32Array
}

/** @throws DATA_RECORD */
export function readSparseRows(
  index: RecordIndex,
  matrix: number,
  extent: SparseExtent,
  rows: Int32Array,
  counts: ValueCounts,
): SparseBatch {
  const reader = new EntryReader(matrix)
  const starts = new Int32Array(rows.length)
  const lengths = new Int32Array(rows.length)
  let indices = new Int32Array(1024)
  let values = new Float32Array(1024)
  let stored = 0
  visitRows(index, rows, `${matrix}_sparse_value`, (wire, record, position) => {
    const entries = reader.read(wire, record)
    while (stored + entries.count > indices.length) {
      indices = grown(indices, new Int32Array(indices.length * 2))
      values = grown(values, new Float32Array(values.length * 2))
    }
    const count = flatten(entries, extent, indices, values, stored)
    countOdd(values, stored, stored + count, counts, rows[position])
    starts[position] = stored
    lengths[position] = count
    stored += count
  })
  const width = extent.steps * extent.rows * extent.cols * extent.channels
  return gather(indices, values, starts, lengths, width)
}

/** The smallest extent that holds all entries of a split, for axes that the specification leaves open (-1). */
export function measureSparse(index: RecordIndex, matrix: number, extent: SparseExtent): SparseExtent {
  const measured = { ...extent }
  const reader = new EntryReader(matrix)
  const all = Int32Array.from({ length: index.count }, (_, i) => i)
  visitRows(index, all, `${matrix}_sparse_value`, (wire, record) => {
    const { count, step, row, col } = reader.read(wire, record)
    for (let i = 0; i < count; i++) {
      if (extent.steps < 0) measured.steps = Math.max(measured.steps, step[i] + 1)
      if (extent.rows < 0) measured.rows = Math.max(measured.rows, row[i] + 1)
      if (extent.cols < 0) measured.cols = Math.max(measured.cols, col[i] + 1)
    }
  })
  return measured
}

/** Decodes the four lists of one matrix; packed single-step lists go straight into typed storage. */
class EntryReader {
  readonly #keys: Buffer[]
  #entries: Entries = emptyEntries(256)

  constructor(matrix: number) {
    this.#keys = ['value', 'row_index', 'col_index', 'channel_index'].map((part) =>
      Buffer.from(`${matrix}_sparse_${part}`),
    )
  }

  read(wire: Wire, record: Span): Entries {
    const [valueKey, rowKey, colKey, channelKey] = this.#keys
    const list = findFeatureList(wire, record.start, record.end, valueKey)
    if (list === null) throw new WireError('is missing')
    // A value takes at least four bytes.
    const bound = Math.ceil((list.end - list.start) / 4)
    if (bound > this.#entries.value.length) this.#entries = emptyEntries(bound * 2)
    const plain = readPackedFloats(wire, list, this.#entries.value)
    if (plain >= 0) {
      this.#entries.count = plain
      this.#entries.step.fill(0, 0, plain)
    } else this.#readSteps(wire, list)
    // Reading integers may have made room for more.
    const entries = this.#entries
    this.#readAxis(wire, record, rowKey, 'row_index', entries.row)
    this.#readAxis(wire, record, colKey, 'col_index', entries.col)
    this.#readAxis(wire, record, channelKey, 'channel_index', entries.channel)
    return entries
  }

  #readSteps(wire: Wire, list: Span): void {
    const { values, ends } = readNumberLists(wire, list)
    if (values.length > this.#entries.value.length) this.#entries = emptyEntries(values.length * 2)
    const { step, value } = this.#entries
    this.#entries.count = values.length
    value.set(values)
    for (let t = 0, i = 0; t < ends.length; t++) while (i < ends[t]) step[i++] = t
  }

  #readAxis(wire: Wire, record: Span, key: Buffer, name: string, into: Int32Array): void {
    const { count } = this.#entries
    const list = findFeatureList(wire, record.start, record.end, key)
    if (list === null) {
      into.fill(0, 0, count)
      return
    }
    let found = readPackedInts(wire, list, into)
    if (found < 0) {
      const { values } = readNumberLists(wire, list)
      found = values.length
      // What no axis holds must not wrap round to what one does.
      if (found === count) into.set(values.map((index) => (index >= 0 && index < 2 ** 31 ? index : -1)))
    }
    if (found !== count) {
      throw new WireError(`${name} has ${found} entries; must be as many as there are values (${count})`)
    }
  }
}

function emptyEntries(capacity: number): Entries {
  return {
    count: 0,
    step: new Int32Array(capacity),
    row: new Int32Array(capacity),
    col: new Int32Array(capacity),
    channel: new Int32Array(capacity),
    value: new Float32Array(capacity),
  }
}

/** Writes flattened positions and values from `at` on, ascending, duplicates summed; returns how many. */
function flatten(
  entries: Entries,
  extent: SparseExtent,
  indices: Int32Array,
  values: Float32Array,
  at: number,
): number {
  const { steps, rows, cols, channels } = extent
  const { count, step, row, col, channel, value } = entries
  let ascending = true
  let before = -1
  for (let i = 0; i < count; i++) {
    // As unsigned numbers, negative positions are beyond every size.
    const outside = step[i] >>> 0 >= steps || row[i] >>> 0 >= rows || col[i] >>> 0 >= cols
    if (outside || channel[i] >>> 0 >= channels) throw outsideError(entries, extent, i)
    const position = ((step[i] * rows + row[i]) * cols + col[i]) * channels + channel[i]
    ascending &&= position > before
    before = position
    indices[at + i] = position
    values[at + i] = value[i]
  }
  return ascending ? count : sortAndMerge(indices, values, at, count)
}

function sortAndMerge(indices: Int32Array, values: Float32Array, at: number, count: number): number {
  const unsorted = indices.slice(at, at + count)
  const unsortedValues = values.slice(at, at + count)
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => unsorted[a] - unsorted[b] || a - b)
  let end = at
  for (const i of order) {
    if (end > at && indices[end - 1] === unsorted[i]) values[end - 1] += unsortedValues[i]
    else {
      indices[end] = unsorted[i]
      values[end++] = unsortedValues[i]
    }
  }
  return end - at
}

function outsideError(entries: Entries, extent: SparseExtent, i: number): WireError {
  const axes: [string, number, number][] = [
    ['step', entries.step[i], extent.steps],
    ['row_index', entries.row[i], extent.rows],
    ['col_index', entries.col[i], extent.cols],
    ['channel_index', entries.channel[i], extent.channels],
  ]
  const [name, position, size] = axes.find(([, at, end]) => !(at >= 0 && at < end))!
  return new WireError(`${name} ${position} must be from 0 to ${size - 1}`)
}

function countOdd(values: Float32Array, start: number, end: number, counts: ValueCounts, row: number): void {
  let nan = 0
  let infinite = 0
  for (let i = start; i < end; i++) {
    if (values[i] - values[i] === 0) continue
    if (Number.isNaN(values[i])) nan++
    else {
      infinite++
      values[i] = Number.NaN
    }
  }
  if (counts.seen[row] === 1) return
  counts.seen[row] = 1
  counts.rows++
  counts.nan += nan
  counts.infinite += infinite
}

/** Brings examples that were stored in file order into the order of the request. */
function gather(
  indices: Int32Array,
  values: Float32Array,
  starts: Int32Array,
  lengths: Int32Array,
  width: number,
): SparseBatch {
  const indptr = new Int32Array(starts.length + 1)
  for (let i = 0; i < starts.length; i++) indptr[i + 1] = indptr[i] + lengths[i]
  const batch: SparseBatch = {
    layout: 'sparse',
    indptr,
    indices: new Int32Array(indptr[starts.length]),
    values: new Float32Array(indptr[starts.length]),
    width,
  }
  for (let i = 0; i < starts.length; i++) {
    batch.indices.set(indices.subarray(starts[i], starts[i] + lengths[i]), indptr[i])
    batch.values.set(values.subarray(starts[i], starts[i] + lengths[i]), indptr[i])
  }
  return batch
}

function grown<A extends Int32Array | Float32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
