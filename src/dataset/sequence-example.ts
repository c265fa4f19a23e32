// tf.train.SequenceExample without message objects (challenge format, section 3): one matrix's values straight into typed
// arrays. Packed and unpacked lists, floats and integers are all accepted. The context (id, labels) is context.ts.
//   SequenceExample: context = 1 (Features: map<string, Feature> = 1), feature_lists = 2 (map<string, FeatureList> = 1)
//   FeatureList: feature = 1.  Feature: bytes_list = 1, float_list = 2, int64_list = 3, each: repeated value = 1
// Most writers store every step alike, so the common case compares each step's header with the first one's and copies.
import { bytesEqual, readEnd, readVarint, type Span, skipField, type Wire, WireError } from './wire.ts'

/** tag = field << 3 | wire type */
const TAG = { 1: 0x0a, 2: 0x12, 3: 0x1a, value: 0x08, float: 0x0d } as const

interface MapEntry extends Span {
  keyStart: number
  keyEnd: number
  after: number
}

/** One object for all map entries: nothing keeps it. */
const ENTRY: MapEntry = { keyStart: 0, keyEnd: 0, start: 0, end: 0, after: 0 }

/** map entry: key = 1, value = 2, in either order. */
function readEntry(wire: Wire, end: number): MapEntry {
  ENTRY.keyStart = ENTRY.keyEnd = ENTRY.start = ENTRY.end = end
  ENTRY.after = end
  while (wire.at < end) {
    const tag = readVarint(wire)
    if (tag === TAG[1]) {
      const stop = readEnd(wire, end)
      ENTRY.keyStart = wire.at
      ENTRY.keyEnd = wire.at = stop
    } else if (tag === TAG[2]) {
      const stop = readEnd(wire, end)
      ENTRY.start = wire.at
      ENTRY.end = wire.at = stop
    } else skipField(wire, tag, end)
  }
  return ENTRY
}

/** All feature lists of a whole record as one span of bytes, or null. */
export function findFeatureLists(wire: Wire, start: number, end: number): Span | null {
  wire.at = start
  while (wire.at < end) {
    const tag = readVarint(wire)
    if (tag === TAG[2]) {
      const stop = readEnd(wire, end)
      return { start: wire.at, end: stop }
    }
    skipField(wire, tag, end)
  }
  return null
}

/** The FeatureList named `key` in a whole record, or null. */
export function findFeatureList(wire: Wire, start: number, end: number, key: Uint8Array): Span | null {
  wire.at = start
  while (wire.at < end) {
    const tag = readVarint(wire)
    if (tag !== TAG[2]) {
      skipField(wire, tag, end)
      continue
    }
    const listsEnd = readEnd(wire, end)
    while (wire.at < listsEnd) {
      const inner = readVarint(wire)
      if (inner !== TAG[1]) {
        skipField(wire, inner, listsEnd)
        continue
      }
      const entry = readEntry(wire, readEnd(wire, listsEnd))
      if (bytesEqual(wire.bytes, entry.keyStart, entry.keyEnd, key)) return { start: entry.start, end: entry.end }
      wire.at = entry.after
    }
  }
  return null
}

/** Appends the numbers of a Feature (float or int64 list, packed or not). @param name the feature's, for faults */
export function readNumbers(wire: Wire, start: number, end: number, into: number[], name = ''): void {
  const { view } = wire
  wire.at = start
  while (wire.at < end) {
    const kind = readVarint(wire)
    if (kind === TAG[1] && wire.at < end) {
      if (readEnd(wire, end) > wire.at) throw new WireError(`${name} holds bytes where numbers are expected`.trim())
      continue
    }
    if (kind !== TAG[2] && kind !== TAG[3]) {
      skipField(wire, kind, end)
      continue
    }
    const listEnd = readEnd(wire, end)
    while (wire.at < listEnd) {
      const tag = readVarint(wire)
      if (tag === TAG[1]) {
        const packedEnd = readEnd(wire, listEnd)
        if (kind === TAG[2]) {
          if ((packedEnd - wire.at) % 4 !== 0) throw new WireError('a packed float list has a broken length')
          for (; wire.at < packedEnd; wire.at += 4) into.push(view.getFloat32(wire.at, true))
        } else {
          while (wire.at < packedEnd) into.push(readVarint(wire))
        }
      } else if (tag === TAG.value && kind === TAG[3]) into.push(readVarint(wire))
      else if (tag === TAG.float && kind === TAG[2]) {
        if (wire.at + 4 > listEnd) throw new WireError('a float list breaks off')
        into.push(view.getFloat32(wire.at, true))
        wire.at += 4
      } else skipField(wire, tag, listEnd)
    }
  }
  if (wire.at !== end) throw new WireError('a list ends past its feature')
}

/** Where dense values go: float32 storage that grows, or is large enough from the start. */
export interface FloatPool {
  data: Float32Array
  length: number
}

export function reserve(pool: FloatPool, count: number): number {
  const start = pool.length
  pool.length += count
  if (pool.length > pool.data.length) {
    const larger = new Float32Array(Math.max(pool.length, Math.ceil(pool.data.length * 1.5)))
    larger.set(pool.data.subarray(0, start))
    pool.data = larger
  }
  return start
}

/**
 * Appends a DENSE feature list to `pool`, [steps, width], shorter steps filled with 0.
 * @param width values per step; 0: as many as the longest step has
 */
export function readDense(wire: Wire, list: Span, width: number, pool: FloatPool): { steps: number; width: number } {
  const start = pool.length
  const uniform = readUniform(wire, list, width, pool)
  if (uniform !== null) return uniform
  pool.length = start
  const values: number[] = []
  const stepEnds: number[] = []
  wire.at = list.start
  while (wire.at < list.end) {
    const tag = readVarint(wire)
    if (tag !== TAG[1]) {
      skipField(wire, tag, list.end)
      continue
    }
    const end = readEnd(wire, list.end)
    readNumbers(wire, wire.at, end, values)
    stepEnds.push(values.length)
  }
  let longest = 0
  for (let i = 0; i < stepEnds.length; i++) longest = Math.max(longest, stepEnds[i] - (stepEnds[i - 1] ?? 0))
  checkWidth(longest, width)
  const stride = width || longest
  const at = reserve(pool, stepEnds.length * stride)
  pool.data.fill(0, at, pool.length)
  for (let i = 0, from = 0; i < stepEnds.length; i++) {
    for (let to = at + i * stride; from < stepEnds[i]; ) pool.data[to++] = values[from++]
  }
  return { steps: stepEnds.length, width: stride }
}

/** The fast path: every step is one packed float list of the same size. Null when it is not. */
function readUniform(wire: Wire, list: Span, width: number, pool: FloatPool): { steps: number; width: number } | null {
  const { bytes, view } = wire
  const { start, end } = list
  wire.at = start
  if (start === end) return { steps: 0, width }
  if (bytes[wire.at++] !== TAG[1]) return null
  const featureEnd = readEnd(wire, end)
  if (wire.at === featureEnd || bytes[wire.at++] !== TAG[2] || readEnd(wire, featureEnd) !== featureEnd) return null
  if (wire.at === featureEnd || bytes[wire.at++] !== TAG[1] || readEnd(wire, featureEnd) !== featureEnd) return null
  const head = wire.at - start
  const stride = featureEnd - start
  const count = (stride - head) / 4
  if (!Number.isInteger(count) || (end - start) % stride !== 0) return null
  const steps = (end - start) / stride
  checkWidth(count, width)
  const stepWidth = width || count
  const first = reserve(pool, steps * stepWidth)
  const { data } = pool
  if (count === 1 && head === 6 && stepWidth === 1) {
    const low = view.getUint32(start, true)
    const high = view.getUint16(start + 4, true)
    for (let at = start, to = first; at < end; at += 10, to++) {
      if (view.getUint32(at, true) !== low || view.getUint16(at + 4, true) !== high) return null
      data[to] = view.getFloat32(at + 6, true)
    }
    return { steps, width: 1 }
  }
  const target = count >= 64 ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null
  for (let at = start, to = first; at < end; at += stride, to += stepWidth) {
    for (let i = 0; i < head; i++) if (bytes[at + i] !== bytes[start + i]) return null
    if (target !== null) target.set(bytes.subarray(at + head, at + stride), to * 4)
    else for (let i = 0; i < count; i++) data[to + i] = view.getFloat32(at + head + i * 4, true)
    if (count < stepWidth) data.fill(0, to + count, to + stepWidth)
  }
  return { steps, width: stepWidth }
}

function checkWidth(longest: number, width: number): void {
  if (width > 0 && longest > width) {
    throw new WireError(`a step holds ${longest} values; must be at most rows x cols x channels = ${width}`)
  }
}

/** Where the packed values of a list's only step lie, or null for any other spelling. */
function onlyPacked(wire: Wire, list: Span, kind: number): Span | null {
  const { bytes } = wire
  const { start, end } = list
  if (start === end) return { start, end }
  wire.at = start
  if (bytes[wire.at++] !== TAG[1] || readEnd(wire, end) !== end) return null
  if (wire.at === end) return { start: end, end }
  if (bytes[wire.at++] !== kind || readEnd(wire, end) !== end) return null
  if (wire.at === end) return { start: end, end }
  if (bytes[wire.at++] !== TAG[1] || readEnd(wire, end) !== end) return null
  return { start: wire.at, end }
}

/** Writes a single step's packed floats; returns how many, or -1 when the list is spelled otherwise. */
export function readPackedFloats(wire: Wire, list: Span, into: Float32Array): number {
  const span = onlyPacked(wire, list, TAG[2])
  if (span === null) return -1
  const count = (span.end - span.start) / 4
  if (!Number.isInteger(count)) throw new WireError('a packed float list has a broken length')
  for (let i = 0, at = span.start; i < count; i++, at += 4) into[i] = wire.view.getFloat32(at, true)
  return count
}

/**
 * Writes a single step's packed integers, as many as fit; returns how many there are, or -1 when the list is spelled
 * otherwise. Integers beyond 32 bits become -1.
 */
export function readPackedInts(wire: Wire, list: Span, into: Int32Array): number {
  const span = onlyPacked(wire, list, TAG[3])
  if (span === null) return -1
  const { bytes } = wire
  let count = 0
  wire.at = span.start
  while (wire.at < span.end) {
    const byte = bytes[wire.at]
    let value = byte
    if (byte < 128) wire.at++
    else value = readVarint(wire)
    into[count++] = value >= 0 && value < 2 ** 31 ? value : -1
  }
  if (wire.at !== span.end) throw new WireError('a list ends past its feature')
  return count
}

/** All numbers of a feature list, step after step (SPARSE: one step has all entries), with each step's end. */
export function readNumberLists(wire: Wire, list: Span): { values: number[]; ends: number[] } {
  const values: number[] = []
  const ends: number[] = []
  wire.at = list.start
  while (wire.at < list.end) {
    const tag = readVarint(wire)
    if (tag === TAG[1]) {
      const end = readEnd(wire, list.end)
      readNumbers(wire, wire.at, end, values)
      ends.push(values.length)
    } else skipField(wire, tag, list.end)
  }
  return { values, ends }
}

/** The byte strings of a feature list, in order (COMPRESSED: one encoded picture a step). */
export function readByteStrings(wire: Wire, list: Span): Span[] {
  const strings: Span[] = []
  wire.at = list.start
  while (wire.at < list.end) {
    const tag = readVarint(wire)
    if (tag !== TAG[1]) {
      skipField(wire, tag, list.end)
      continue
    }
    const featureEnd = readEnd(wire, list.end)
    while (wire.at < featureEnd) {
      const kind = readVarint(wire)
      if (kind !== TAG[1]) throw new WireError('holds numbers where an encoded picture is expected')
      const listEnd = readEnd(wire, featureEnd)
      while (wire.at < listEnd) {
        const inner = readVarint(wire)
        if (inner !== TAG[1]) {
          skipField(wire, inner, listEnd)
          continue
        }
        const end = readEnd(wire, listEnd)
        strings.push({ start: wire.at, end })
        wire.at = end
      }
    }
  }
  return strings
}
