// Id and labels from a record's first bytes, for every record of a split while it is indexed: before anything is learned,
// so each microsecond counts. The usual spelling (one-byte lengths, packed lists) has a path of its own.
import { readNumbers } from './sequence-example.ts'
import { readEnd, readLength, readVarint, skipField, type Wire, WireError } from './wire.ts'

/** Filled in place by `readContext`; the lists keep their storage, so their lengths stand beside them. */
export interface ExampleContext {
  /** NaN when the record has none. */
  id: number
  labelIndex: number[]
  labelCount: number
  labelScore: number[]
  scoreCount: number
}

export function emptyContext(): ExampleContext {
  return { id: Number.NaN, labelIndex: [], labelCount: 0, labelScore: [], scoreCount: 0 }
}

/** Keys as little-endian words: `id`; `labe`, then `l_in`+`ndex` or `l_sc`+`core` (the words overlap by one byte). */
const WORD = {
  id: 0x6469,
  labe: 0x6562616c,
  l_in: 0x6e695f6c,
  ndex: 0x7865646e,
  l_sc: 0x63735f6c,
  core: 0x65726f63,
} as const

/**
 * @param start the record's bytes, or their beginning, are wire[start .. end)
 * @param whole these are all of the record's bytes
 * @returns false when the context is not within these bytes
 */
export function readContext(wire: Wire, start: number, end: number, whole: boolean, context: ExampleContext): boolean {
  context.id = Number.NaN
  context.labelCount = context.scoreCount = 0
  wire.at = start
  let found = false
  while (wire.at < end) {
    if (!whole && wire.at + 10 > end) return found
    const tag = readVarint(wire)
    if (tag !== 0x0a) {
      if (!whole) return found
      skipField(wire, tag, end)
      continue
    }
    const contextEnd = readLength(wire)
    if (!(contextEnd <= end)) {
      if (whole) throw new WireError('the context ends past its record')
      return false
    }
    if (!readPlain(wire, contextEnd, context)) readFeatures(wire, contextEnd, context)
    found = true
  }
  return true
}

/** The usual spelling of Features; false (with nothing kept) for any other. */
function readPlain(wire: Wire, end: number, context: ExampleContext): boolean {
  const { bytes, view } = wire
  let at = wire.at
  let id = context.id
  let labels = 0
  let scores = 0
  if (context.labelCount > 0 || context.scoreCount > 0) return false
  while (at < end) {
    // 0a entry 0a key … 12 feature kind list 0a packed
    const entryEnd = at + 2 + bytes[at + 1]
    const key = at + 4
    const feature = key + bytes[at + 3]
    if (bytes[at] !== 0x0a || bytes[at + 1] > 127 || bytes[at + 2] !== 0x0a || entryEnd > end || feature + 2 > entryEnd)
      return false
    if (bytes[feature] !== 0x12 || feature + 2 + bytes[feature + 1] !== entryEnd) return false
    const kind = bytes[feature + 2]
    const first = feature + 6
    const empty = feature + 4 >= entryEnd
    if (!empty && (bytes[feature + 4] !== 0x0a || first + bytes[feature + 5] !== entryEnd)) return false
    if (feature - key === 11 && view.getUint32(key, true) === WORD.labe) {
      const word = view.getUint32(key + 4, true)
      const last = view.getUint32(key + 7, true)
      if (word === WORD.l_in && last === WORD.ndex) {
        if (!empty && kind !== 0x1a) return false
        for (let p = first; p < entryEnd; p++) {
          if (bytes[p] > 127) return false
          context.labelIndex[labels++] = bytes[p]
        }
      } else if (word === WORD.l_sc && last === WORD.core) {
        if (!empty && (kind !== 0x12 || (entryEnd - first) % 4 !== 0)) return false
        for (let p = first; p < entryEnd; p += 4) context.labelScore[scores++] = view.getFloat32(p, true)
      }
    } else if (feature - key === 2 && view.getUint16(key, true) === WORD.id && !empty) {
      if (kind !== 0x1a) return false
      wire.at = first
      id = readVarint(wire)
      wire.at = key - 4
    }
    at = entryEnd
  }
  context.id = id
  context.labelCount = labels
  context.scoreCount = scores
  wire.at = end
  return true
}

function readFeatures(wire: Wire, end: number, context: ExampleContext): void {
  const ids: number[] = []
  const labelIndex = context.labelIndex.slice(0, context.labelCount)
  const labelScore = context.labelScore.slice(0, context.scoreCount)
  const targets = new Map<string, number[]>([
    ['id', ids],
    ['label_index', labelIndex],
    ['label_score', labelScore],
  ])
  while (wire.at < end) {
    const tag = readVarint(wire)
    if (tag !== 0x0a) {
      skipField(wire, tag, end)
      continue
    }
    const entryEnd = readEnd(wire, end)
    let key = ''
    let valueStart = entryEnd
    let valueEnd = entryEnd
    while (wire.at < entryEnd) {
      const part = readVarint(wire)
      if (part !== 0x0a && part !== 0x12) {
        skipField(wire, part, entryEnd)
        continue
      }
      const partEnd = readEnd(wire, entryEnd)
      if (part === 0x0a) key = wire.bytes.toString('utf8', wire.at, partEnd)
      else {
        valueStart = wire.at
        valueEnd = partEnd
      }
      wire.at = partEnd
    }
    const target = targets.get(key)
    if (target !== undefined) readNumbers(wire, valueStart, valueEnd, target, key)
    wire.at = entryEnd
  }
  if (ids.length > 0) context.id = ids[0]
  context.labelIndex = labelIndex
  context.labelCount = labelIndex.length
  context.labelScore = labelScore
  context.scoreCount = labelScore.length
}
