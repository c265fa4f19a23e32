// Reading rows in any order as one pass in file order: each wanted record is visited once with its place in the request.
import { DataError } from '../support/errors.ts'
import { type RecordIndex, readRecords, recordPlace } from './tfrecord.ts'
import { type Span, type Wire, WireError, wireOver } from './wire.ts'

/** Positions of `rows` in ascending order of row; null when they are ascending already. */
export function ascendingOrder(rows: Int32Array): Int32Array | null {
  let ascending = true
  for (let i = 1; i < rows.length && ascending; i++) ascending = rows[i] >= rows[i - 1]
  if (ascending) return null
  const order = Int32Array.from({ length: rows.length }, (_, i) => i)
  return order.sort((a, b) => rows[a] - rows[b])
}

export function checkRows(rows: Int32Array, count: number): void {
  for (const row of rows) {
    if (!(row >= 0 && row < count)) throw new RangeError(`row ${row} is not among ${count} examples`)
  }
}

/**
 * Visits the record of every row, in file order. @param visit sees the record as wire[record.start .. record.end) and the
 * position of its row in `rows`. @throws DATA_RECORD; wire faults of `visit` are given file, record and `field`
 */
export function visitRows(
  index: RecordIndex,
  rows: Int32Array,
  field: string,
  visit: (wire: Wire, record: Span, position: number) => void,
): void {
  const order = ascendingOrder(rows)
  const sorted = order === null ? rows : order.map((position) => rows[position])
  const record: Span = { start: 0, end: 0 }
  let bytes: Buffer | null = null
  let wire: Wire | null = null
  for (const group of readRecords(index, sorted, true)) {
    if (wire === null || bytes !== group.bytes) wire = wireOver((bytes = group.bytes))
    for (let i = 0; i < group.items.length; i++) {
      const item = group.items[i]
      record.start = group.starts[i]
      record.end = group.ends[i]
      try {
        visit(wire, record, order === null ? item : order[item])
      } catch (error) {
        throw recordError(error, index, sorted[item], field)
      }
    }
  }
}

/** A wire fault or broken read becomes a DataError with its place; anything else passes. */
export function recordError(error: unknown, index: RecordIndex, row: number, field: string): unknown {
  if (
    error instanceof WireError ||
    (error instanceof RangeError && (error as NodeJS.ErrnoException).code !== undefined)
  ) {
    return new DataError('DATA_RECORD', { ...recordPlace(index, row), field, rule: error.message, cause: error })
  }
  if (error instanceof RangeError) {
    return new DataError('DATA_RECORD', { ...recordPlace(index, row), field, rule: 'a list breaks off', cause: error })
  }
  return error
}
