// Ranks of float32 columns, ties averaged: the inner loop of NAUC and of rank blending, so it sorts integer keys.
// IEEE 754 floats order like integers once negative ones are flipped; a least-significant-digit radix sort (3 passes of
// 11 bits) then beats comparison sorts from about a thousand values on.

const RADIX_BITS = 11
const RADIX_SIZE = 1 << RADIX_BITS
const RADIX_MASK = RADIX_SIZE - 1
/** Below this many values the built-in sort of typed arrays is faster than clearing histograms. */
const RADIX_FROM = 1024

/**
 * Order-preserving unsigned keys of a strided column: key(a) < key(b) iff a < b, and -0 equals 0. NaN sorts above +Infinity.
 * @param column values[offset + i * stride], i < count
 */
export function sortableKeys(column: Float32Array, offset: number, stride: number, count: number): Uint32Array {
  const floats = new Float32Array(count)
  for (let i = 0, at = offset; i < count; i++, at += stride) floats[i] = column[at] + 0
  const keys = new Uint32Array(floats.buffer)
  for (let i = 0; i < count; i++) {
    const bits = keys[i]
    keys[i] = bits & 0x80000000 ? ~bits : bits | 0x80000000
  }
  return keys
}

/** Sorts keys ascending; returns the sorted array, which may be `keys` itself or a new one. */
export function sortKeys(keys: Uint32Array): Uint32Array {
  if (keys.length < RADIX_FROM) return keys.sort()
  const counts = digitOffsets(keys)
  let from: Uint32Array = keys
  let to: Uint32Array = new Uint32Array(keys.length)
  for (let pass = 0; pass < 3; pass++) {
    const base = pass * RADIX_SIZE
    const shift = pass * RADIX_BITS
    for (let i = 0; i < from.length; i++) {
      const key = from[i]
      to[counts[base + ((key >>> shift) & RADIX_MASK)]++] = key
    }
    const held = from
    from = to
    to = held
  }
  return from
}

/** The stable permutation that sorts `keys` ascending. */
export function argsortKeys(keys: Uint32Array): Uint32Array {
  const n = keys.length
  const counts = digitOffsets(keys)
  let from = new Uint32Array(n)
  let to = new Uint32Array(n)
  for (let i = 0; i < n; i++) from[i] = i
  for (let pass = 0; pass < 3; pass++) {
    const base = pass * RADIX_SIZE
    const shift = pass * RADIX_BITS
    for (let i = 0; i < n; i++) {
      const item = from[i]
      to[counts[base + ((keys[item] >>> shift) & RADIX_MASK)]++] = item
    }
    const held = from
    from = to
    to = held
  }
  return from
}

/**
 * Ranks 1..count of a strided column, ties given their average rank.
 * @param column values[offset + i * stride], i < count
 * @returns [count]
 */
export function averageRanks(column: Float32Array, offset = 0, stride = 1, count = column.length): Float64Array {
  const keys = sortableKeys(column, offset, stride, count)
  const order = argsortKeys(keys)
  const ranks = new Float64Array(count)
  for (let first = 0; first < count; ) {
    const key = keys[order[first]]
    let end = first + 1
    while (end < count && keys[order[end]] === key) end++
    const rank = (first + 1 + end) / 2
    for (let i = first; i < end; i++) ranks[order[i]] = rank
    first = end
  }
  return ranks
}

/** Where each digit of each of the three passes starts: [3 * RADIX_SIZE], exclusive prefix sums per pass. */
function digitOffsets(keys: Uint32Array): Uint32Array {
  const counts = new Uint32Array(3 * RADIX_SIZE)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]
    counts[key & RADIX_MASK]++
    counts[RADIX_SIZE + ((key >>> RADIX_BITS) & RADIX_MASK)]++
    counts[2 * RADIX_SIZE + (key >>> (2 * RADIX_BITS))]++
  }
  for (let pass = 0; pass < 3; pass++) {
    let sum = 0
    for (let at = pass * RADIX_SIZE; at < (pass + 1) * RADIX_SIZE; at++) {
      const count = counts[at]
      counts[at] = sum
      sum += count
    }
  }
  return counts
}
