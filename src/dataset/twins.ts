// Examples that occur more than once, copied or oversampled: if one teaches while its twin judges, memory passes for learning. Found by
// the checksum of an example's matrices as they are stored, and equal labels. Left out: near duplicates, and large data, where
// reading all of it before the first answer would cost more than the twins do.

import type { LabelLists } from './context-scan.ts'
import { maskedCrc32c } from './crc32c.ts'
import { visitRows } from './rows.ts'
import { findFeatureLists } from './sequence-example.ts'
import type { RecordIndex } from './tfrecord.ts'

/** Read and summed in about 20 ms, all of it before the first answer. */
const MAX_BYTES = 32e6
const MAX_ROWS = 10_000
/** Rows alike more often than this are alike because there is little to say (an empty text, three categories), not copies. */
const MAX_TWINS = 16

const LABEL_HASHES = 2 ** 20

/** [count] the first row that is like each row, itself where none is; null when no row has a twin, or it is too much to look. */
export function findTwins(index: RecordIndex, { start, index: classes, score }: LabelLists): Int32Array | null {
  const { count } = index
  if (index.recordBytes > MAX_BYTES || count > MAX_ROWS) return null
  const first = new Map<number, number>()
  const twinOf = new Int32Array(count)
  const sizes = new Int32Array(count)
  const rows = Int32Array.from({ length: count }, (_, row) => row)
  visitRows(index, rows, 'feature_lists', (wire, record, row) => {
    const lists = findFeatureLists(wire, record.start, record.end) ?? { start: record.end, end: record.end }
    let labels = lists.end - lists.start
    for (let i = start[row]; i < start[row + 1]; i++)
      labels = (labels * 31 + classes[i] + 1000 * score[i]) % LABEL_HASHES
    // Below 2^53: 32 bits of content, the rest of its length and labels.
    const key = maskedCrc32c(wire.bytes.subarray(lists.start, lists.end)) * LABEL_HASHES + Math.trunc(labels)
    const known = first.get(key)
    if (known === undefined) first.set(key, row)
    twinOf[row] = known ?? row
    sizes[twinOf[row]]++
  })
  let found = false
  for (let row = 0; row < count; row++) {
    if (sizes[twinOf[row]] > MAX_TWINS) twinOf[row] = row
    else if (twinOf[row] !== row) found = true
  }
  return found ? twinOf : null
}
