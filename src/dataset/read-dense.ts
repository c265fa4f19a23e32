// DENSE matrices of chosen rows -> DenseBatch. Fixed sizes are written in place; varying ones are appended in file order
// and gathered. Infinite values become NaN (missing) and are counted, as are NaNs.
import { DataError } from '../support/errors.ts'
import type { DenseBatch } from './batch.ts'
import { visitRows } from './rows.ts'
import { type FloatPool, findFeatureList, readDense } from './sequence-example.ts'
import type { DatasetSpec } from './spec.ts'
import type { RecordIndex } from './tfrecord.ts'
import { WireError } from './wire.ts'

/** Of one reading, 8 GB. */
const MAX_VALUES = 2 ** 31

/** What was odd in the values of one split, over the rows read so far; each row counts once. */
export interface ValueCounts {
  nan: number
  infinite: number
  rows: number
  /** [count] 1 where the row is counted. */
  seen: Uint8Array
}

/** @param rows in any order, repeats allowed. @throws DATA_RECORD */
export function readDenseRows(
  index: RecordIndex,
  spec: DatasetSpec,
  matrix: number,
  rows: Int32Array,
  counts: ValueCounts,
): DenseBatch {
  const { rows: rowCount, cols, channels } = spec.matrices[matrix]
  const field = `${matrix}_dense_input`
  const key = Buffer.from(field)
  const steps = spec.sequenceSize
  const width = rowCount > 0 && cols > 0 ? rowCount * cols * channels : 0
  const size = steps > 0 ? width * steps : 0
  if (size * rows.length > MAX_VALUES) {
    const rule = `must be so small that ${rows.length} examples of ${size} values can be held`
    throw new DataError('DATA_METADATA', { file: 'metadata.textproto', field: 'sequence_size', value: steps, rule })
  }
  const capacity = size > 0 ? size * rows.length : expectedValues(index, rows, width)
  const pool: FloatPool = { data: new Float32Array(capacity), length: 0 }
  const starts = new Float64Array(rows.length)
  const shapes = new Int32Array(rows.length * 4)
  visitRows(index, rows, field, (wire, record, position) => {
    const list = findFeatureList(wire, record.start, record.end, key)
    if (list === null && steps > 0) throw new WireError('is missing')
    if (size > 0) pool.length = position * size
    const start = pool.length
    const read = list === null ? { steps: 0, width } : readDense(wire, list, width, pool)
    if (steps > 0) {
      if (read.steps > steps) throw new WireError(`holds ${read.steps} steps; must be at most sequence_size ${steps}`)
      const missing = (steps - read.steps) * read.width
      if (missing > 0) padZero(pool, missing)
    }
    const end = pool.length
    countOdd(pool.data, start, end, counts, rows[position])
    starts[position] = start
    const shape = shapeOf(read.width, rowCount, cols, channels)
    shapes.set([steps > 0 ? steps : read.steps, shape.rows, shape.cols, channels], position * 4)
  })
  return size > 0 ? fixedBatch(pool.data, size, shapes) : gather(pool, starts, shapes)
}

function padZero(pool: FloatPool, count: number): void {
  const start = pool.length
  pool.length += count
  if (pool.length > pool.data.length) {
    const larger = new Float32Array(pool.length)
    larger.set(pool.data.subarray(0, start))
    pool.data = larger
  }
  pool.data.fill(0, start, pool.length)
}

/** Values that records of these sizes hold: a packed step has at least six bytes besides. Room that stays unused costs nothing. */
function expectedValues(index: RecordIndex, rows: Int32Array, width: number): number {
  let bytes = 0
  for (const row of rows) bytes += index.lengths[row]
  return Math.ceil(width > 0 ? (bytes * width) / (4 * width + 6) : bytes / 4)
}

/** Rows and cols of a step with `width` values where the specification leaves them open. */
function shapeOf(width: number, rows: number, cols: number, channels: number): { rows: number; cols: number } {
  if (rows > 0 && cols > 0) return { rows, cols }
  const cells = width / channels
  if (rows > 0) return { rows, cols: whole(cells / rows, width) }
  if (cols > 0) return { rows: whole(cells / cols, width), cols }
  return { rows: 1, cols: whole(cells, width) }
}

function whole(size: number, width: number): number {
  if (Number.isInteger(size)) return size
  throw new WireError(`a step holds ${width} values, which is no whole number of rows and columns`)
}

function countOdd(data: Float32Array, start: number, end: number, counts: ValueCounts, row: number): void {
  let nan = 0
  let infinite = 0
  for (let i = start; i < end; i++) {
    const value = data[i]
    if (value - value === 0) continue
    if (Number.isNaN(value)) nan++
    else {
      infinite++
      data[i] = Number.NaN
    }
  }
  if (counts.seen[row] === 1) return
  counts.seen[row] = 1
  counts.rows++
  counts.nan += nan
  counts.infinite += infinite
}

function fixedBatch(data: Float32Array, size: number, shapes: Int32Array): DenseBatch {
  const offsets = Float64Array.from({ length: shapes.length / 4 + 1 }, (_, i) => i * size)
  return { layout: 'dense', data, offsets, shapes }
}

/** Brings examples that were appended in file order into the order of the request. */
function gather(pool: FloatPool, starts: Float64Array, shapes: Int32Array): DenseBatch {
  const count = starts.length
  const offsets = new Float64Array(count + 1)
  let inOrder = true
  for (let i = 0; i < count; i++) {
    offsets[i + 1] = offsets[i] + shapes[i * 4] * shapes[i * 4 + 1] * shapes[i * 4 + 2] * shapes[i * 4 + 3]
    inOrder &&= starts[i] === offsets[i]
  }
  if (inOrder) return { layout: 'dense', data: pool.data.subarray(0, pool.length), offsets, shapes }
  const data = new Float32Array(offsets[count])
  for (let i = 0; i < count; i++) {
    const size = offsets[i + 1] - offsets[i]
    data.set(pool.data.subarray(starts[i], starts[i] + size), offsets[i])
  }
  return { layout: 'dense', data, offsets, shapes }
}
