// Excerpts (excerpt.ts) of DENSE sequences without the rest of their records: five minutes of sound are a hundred megabytes, and a
// first look takes one. It needs one value a step, spelled as TensorFlow does (a packed list each), so that a step's place follows
// from its number. Records spelled otherwise, short ones, and whatever looks wrong are read whole, with all checks.
// The checksum of a record is over all of it, so of an excerpt only the framing of its values is checked: altered values are found
// when the record is first read whole. Odd values are not counted either: those counts are of whole rows.
import { readSync } from 'node:fs'
import type { DenseBatch } from './batch.ts'
import { excerptStart } from './excerpt.ts'
import { readDenseRows, type ValueCounts } from './read-dense.ts'
import { findFeatureList } from './sequence-example.ts'
import type { DatasetSpec } from './spec.ts'
import type { RecordIndex } from './tfrecord.ts'
import { type Span, type Wire, WireError, wireOver } from './wire.ts'

/** Of a record's beginning: the id, the labels and where the steps lie. */
const HEAD_BYTES = 4096
/** A step of one value: Feature of 8 bytes, float_list of 6, packed values of 4; as little-endian numbers. */
const STEP_HEAD = { low: 0x0612080a, high: 0x040a }
const STEP_BYTES = 10

/**
 * @param rows in any order, repeats allowed; fastest ascending
 * @param count steps of each excerpt at most. Rows and columns of a step must be fixed
 * @throws DATA_RECORD
 */
export function readDenseExcerpts(
  index: RecordIndex,
  spec: DatasetSpec,
  matrix: number,
  rows: Int32Array,
  counts: ValueCounts,
  count: number,
): DenseBatch {
  const { rows: rowCount, cols, channels } = spec.matrices[matrix]
  if (rowCount < 0 || cols < 0) throw new RangeError(`excerpts of steps of ${rowCount} x ${cols} values; must be fixed`)
  const width = rowCount * cols * channels
  const data = new Float32Array(rows.length * count * width)
  const offsets = new Float64Array(rows.length + 1)
  const shapes = new Int32Array(rows.length * 4)
  const key = Buffer.from(`${matrix}_dense_input`)
  const head = wireOver(Buffer.allocUnsafeSlow(HEAD_BYTES))
  const body = wireOver(Buffer.allocUnsafeSlow(count * STEP_BYTES))
  for (let i = 0; i < rows.length; i++) {
    const start = offsets[i]
    const list = width === 1 ? findSteps(index, rows[i], key, head) : null
    const into = data.subarray(start, start + count * width)
    let steps = count
    if (list === null || !readMiddle(index, rows[i], list, spec.sequenceSize, body, into)) {
      const whole = readDenseRows(index, spec, matrix, rows.subarray(i, i + 1), counts)
      const first = excerptStart(whole.shapes[0], count)
      steps = Math.min(count, whole.shapes[0])
      into.set(whole.data.subarray(first * width, (first + steps) * width))
    }
    shapes.set([steps, rowCount, cols, channels], i * 4)
    offsets[i + 1] = start + steps * width
  }
  return { layout: 'dense', data: data.subarray(0, offsets[rows.length]), offsets, shapes }
}

/** Where the steps lie within a record, as its beginning says; null when it does not. */
function findSteps(index: RecordIndex, row: number, key: Uint8Array, head: Wire): Span | null {
  const length = index.lengths[row]
  const size = Math.min(HEAD_BYTES, length)
  if (readSync(handleOf(index, row), head.bytes, 0, size, index.offsets[row]) < size) return null
  try {
    return findFeatureList(head, 0, length, key)
  } catch (error) {
    // Past what was read, or a fault that reading the whole record will name.
    if (error instanceof WireError) return null
    throw error
  }
}

/** Fills `into` [count] from the middle of a longer sequence; false when that is not what the record holds. */
function readMiddle(
  index: RecordIndex,
  row: number,
  list: Span,
  sequenceSize: number,
  body: Wire,
  into: Float32Array,
): boolean {
  const count = into.length
  const stored = (list.end - list.start) / STEP_BYTES
  if (!Number.isInteger(stored) || stored <= count || (sequenceSize > 0 && stored > sequenceSize)) return false
  const first = excerptStart(sequenceSize > 0 ? sequenceSize : stored, count)
  const kept = Math.max(0, Math.min(count, stored - first))
  const size = kept * STEP_BYTES
  const from = index.offsets[row] + list.start + first * STEP_BYTES
  if (readSync(handleOf(index, row), body.bytes, 0, size, from) < size) return false
  const { view } = body
  for (let i = 0, at = 0; i < kept; i++, at += STEP_BYTES) {
    if (view.getUint32(at, true) !== STEP_HEAD.low || view.getUint16(at + 4, true) !== STEP_HEAD.high) return false
    const value = view.getFloat32(at + 6, true)
    into[i] = value - value === 0 ? value : Number.NaN
  }
  return true
}

function handleOf(index: RecordIndex, row: number): number {
  return index.handles[index.firsts.findLastIndex((first) => first <= row)]
}
