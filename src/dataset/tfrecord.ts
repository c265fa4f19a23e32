// TFRecord shards: an index of where each record lies, and random access by positioned reads in bounded memory.
// Framing: u64 LE length | u32 masked CRC-32C of it | bytes | u32 masked CRC-32C of the bytes. Lengths are checked while
// indexing, contents when they are read. Compressed files are refused.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { DataError } from '../support/errors.ts'
import { maskedCrc32c, maskedCrc32cOfLength } from './crc32c.ts'
import { shortPath } from './metadata.ts'
import { type Wire, wireOver } from './wire.ts'

const HEADER_BYTES = 12
const FOOTER_BYTES = 4
/** Small records are indexed from large sequential reads. */
const SCAN_BYTES = 1 << 20
/** Large ones by one read of their beginning each: enough for the header, the id and the labels. */
const PREFIX_BYTES = 1024
const LARGE_RECORD_BYTES = 32 << 10
/** A record larger than this cannot be meant. */
const MAX_RECORD_BYTES = 2 ** 31 - 1024
/** One positioned read takes in neighbours up to this size, and gaps between wanted records up to GAP_BYTES. */
const GROUP_BYTES = 4 << 20
const GAP_BYTES = 16 << 10

/** Open shards and the place of every record. Owned by the caller: `closeRecords`. */
export interface RecordIndex {
  files: string[]
  handles: number[]
  /** First record of each shard, then the count. */
  firsts: number[]
  count: number
  /** Bytes of all records. */
  recordBytes: number
  /** [count]: of the record's bytes (after the header) in its shard. */
  offsets: Float64Array
  /** [count] */
  lengths: Int32Array
}

/** Sees the beginning of each record: wire[start .. end); `whole` if that is all of it. */
export interface RecordVisitor {
  visit(wire: Wire, start: number, end: number, whole: boolean, record: number): void
}

/** Consecutive records in one buffer: record `items[i]` (a position in the caller's list) is bytes[starts[i] .. ends[i]). */
export interface RecordGroup {
  bytes: Buffer
  items: number[]
  starts: number[]
  ends: number[]
}

/** What indexing reads through; one for all splits of a dataset. */
export function scanBuffer(): Wire {
  return wireOver(Buffer.allocUnsafeSlow(SCAN_BYTES))
}

/** @param scan from `scanBuffer`. @throws DATA_MISSING, DATA_RECORD naming file and record */
export function indexRecords(files: readonly string[], scan: Wire, visitor: RecordVisitor): RecordIndex {
  const handles: number[] = []
  const firsts: number[] = []
  let offsets = new Float64Array(1024)
  let lengths = new Int32Array(1024)
  let count = 0
  const { bytes, view } = scan
  let recordBytes = 0
  try {
    for (const file of files) {
      const handle = openRecords(file)
      handles.push(handle)
      firsts.push(count)
      const size = fstatSync(handle).size
      let from = 0
      let to = 0
      let step = SCAN_BYTES
      for (let at = 0; at < size; ) {
        const record = count - firsts[firsts.length - 1]
        if (at + HEADER_BYTES > size) throw truncated(file, record, at, size)
        if (at < from || at + Math.min(PREFIX_BYTES, size - at) > to) {
          from = at
          to = at + readSync(handle, bytes, 0, Math.min(step, size - at), at)
        }
        const head = at - from
        const low = view.getUint32(head, true)
        const high = view.getUint32(head + 4, true)
        const length = low + high * 2 ** 32
        if (maskedCrc32cOfLength(low, high) !== view.getUint32(head + 8, true))
          throw badLength(file, record, at, bytes, head)
        if (length > MAX_RECORD_BYTES)
          throw recordFault(file, record, 'length', length, `must be at most ${MAX_RECORD_BYTES} bytes`)
        const next = at + HEADER_BYTES + length + FOOTER_BYTES
        if (next > size) throw truncated(file, record, at, size, length)
        if (count === offsets.length) {
          offsets = grown(offsets, new Float64Array(count * 2))
          lengths = grown(lengths, new Int32Array(count * 2))
        }
        offsets[count] = at + HEADER_BYTES
        lengths[count] = length
        const start = head + HEADER_BYTES
        const end = Math.min(start + length, to - from)
        visitor.visit(scan, start, end, end - start === length, count)
        count++
        recordBytes += length
        step = length > LARGE_RECORD_BYTES ? PREFIX_BYTES : SCAN_BYTES
        at = next
      }
    }
  } catch (error) {
    for (const handle of handles) closeSync(handle)
    throw error
  }
  firsts.push(count)
  return {
    files: [...files],
    handles,
    firsts,
    count,
    recordBytes,
    offsets: offsets.slice(0, count),
    lengths: lengths.slice(0, count),
  }
}

export function closeRecords(index: RecordIndex): void {
  for (const handle of index.handles.splice(0)) closeSync(handle)
}

/** File and number within it, as faults name them. */
export function recordPlace(index: RecordIndex, record: number): { file: string; record: number } {
  const shard = shardOf(index, record)
  return { file: shortPath(index.files[shard]), record: record - index.firsts[shard] }
}

/**
 * Reads records in file order, checked, a few megabytes at a time.
 * @param rows record numbers, ascending (repeats allowed)
 * @param reuse one buffer for all groups: valid until the next group only
 * @throws DATA_RECORD
 */
export function* readRecords(index: RecordIndex, rows: ArrayLike<number>, reuse: boolean): Generator<RecordGroup> {
  let shared: Buffer | null = null
  for (let first = 0; first < rows.length; ) {
    const shard = shardOf(index, rows[first])
    const begin = index.offsets[rows[first]]
    let last = first
    let end = endOf(index, rows[first])
    while (last + 1 < rows.length) {
      const row = rows[last + 1]
      if (row >= index.firsts[shard + 1] || index.offsets[row] - end > GAP_BYTES) break
      if (endOf(index, row) - begin > GROUP_BYTES) break
      end = endOf(index, row)
      last++
    }
    const size = end - begin
    if (!reuse || shared === null || shared.length < size) {
      const bytes = Buffer.allocUnsafeSlow(reuse ? Math.max(size, Math.min(GROUP_BYTES, 2 * size)) : size)
      if (reuse) shared = bytes
      yield readGroup(index, rows, shard, first, last, bytes, begin, size)
    } else {
      yield readGroup(index, rows, shard, first, last, shared, begin, size)
    }
    first = last + 1
  }
}

function readGroup(
  index: RecordIndex,
  rows: ArrayLike<number>,
  shard: number,
  first: number,
  last: number,
  bytes: Buffer,
  begin: number,
  size: number,
): RecordGroup {
  const group: RecordGroup = { bytes, items: [], starts: [], ends: [] }
  let done = 0
  while (done < size) {
    const got = readSync(index.handles[shard], bytes, done, size - done, begin + done)
    if (got === 0) break
    done += got
  }
  for (let item = first; item <= last; item++) {
    const start = index.offsets[rows[item]] - begin
    const end = start + index.lengths[rows[item]]
    if (end + FOOTER_BYTES > done) {
      throw new DataError('DATA_RECORD', {
        ...recordPlace(index, rows[item]),
        rule: 'the file became shorter while it was read',
      })
    }
    if (maskedCrc32c(bytes.subarray(start, end)) !== bytes.readUInt32LE(end)) {
      throw new DataError('DATA_RECORD', {
        ...recordPlace(index, rows[item]),
        rule: 'checksum mismatch: its bytes were altered after they were written',
        hint: 'copy or download the file again',
      })
    }
    group.items.push(item)
    group.starts.push(start)
    group.ends.push(end)
  }
  return group
}

function endOf(index: RecordIndex, record: number): number {
  return index.offsets[record] + index.lengths[record] + FOOTER_BYTES
}

function shardOf(index: RecordIndex, record: number): number {
  let shard = 0
  while (record >= index.firsts[shard + 1]) shard++
  return shard
}

function openRecords(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (cause) {
    throw new DataError('DATA_MISSING', { file, rule: 'the record file cannot be opened', cause })
  }
}

function badLength(file: string, record: number, at: number, scan: Buffer, head: number): DataError {
  if (at === 0 && scan[head] === 0x1f && scan[head + 1] === 0x8b) {
    return recordFault(
      file,
      record,
      undefined,
      undefined,
      'the file is gzip-compressed; records must be plain',
      'gunzip it first',
    )
  }
  return recordFault(
    file,
    record,
    'length',
    undefined,
    `checksum mismatch at byte ${at}: ${at === 0 ? 'this is no TFRecord file, or it was altered' : 'the file was altered after it was written'}`,
  )
}

function truncated(file: string, record: number, at: number, size: number, length?: number): DataError {
  const needs = length === undefined ? '12 bytes of header' : `${length} bytes and a checksum`
  const rule = `truncated: needs ${needs} from byte ${at} on, but the file ends at ${size}`
  return recordFault(file, record, undefined, undefined, rule, 'copy or download the file again')
}

function recordFault(
  file: string,
  record: number,
  field: string | undefined,
  value: unknown,
  rule: string,
  hint?: string,
): DataError {
  return new DataError('DATA_RECORD', {
    file: shortPath(file),
    record,
    rule,
    ...(field === undefined ? {} : { field }),
    ...(value === undefined ? {} : { value }),
    ...(hint === undefined ? {} : { hint }),
  })
}

function grown<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
