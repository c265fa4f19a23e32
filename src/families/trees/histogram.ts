// Gradient histograms: for every code of every feature, the sums of gradients and hessians over the rows of one leaf.
// Two sums travel in one double: gradients are rounded to integers, up or down by chance, as in LightGBM's quantised training (Shi et
// al. 2022), with as many steps as their sum has room for, and a pair (a, b) is kept as a * 2^27 + b, so one addition does the work
// of two, sums are exact, and the histogram of a sibling is the parent's minus this one's without drift.
import type { Codes } from './codes.ts'

const HIGH = 2 ** 27
/** More rows than this could overflow a pair. */
export const MAX_ROWS = 2 ** 25

/** Packs integers |a|, |b| whose sums stay below 2^26. */
export function packPair(a: number, b: number): number {
  return a * HIGH + b
}

export function highOf(pair: number): number {
  return Math.floor(pair / HIGH + 0.5)
}

export function lowOf(pair: number): number {
  return pair - Math.floor(pair / HIGH + 0.5) * HIGH
}

/**
 * Steps per unit such that values[rows[0..count)], each rounded up or down, sum below 2^26 in size, for up to MAX_ROWS of them. By
 * their sum rather than their largest: where one class is rare, few gradients are large and the many small ones decide as well.
 */
export function quantum(values: Float32Array, rows: Int32Array, count: number): number {
  let sum = 0
  let largest = 0
  for (let i = 0; i < count; i++) {
    const size = Math.abs(values[rows[i]])
    sum += size
    if (size > largest) largest = size
  }
  return largest > 0 ? Math.min(2 ** 20 / largest, MAX_ROWS / sum) : 1
}

/** First histogram slot of every feature: [features + 1]. */
export function codeOffsets(codes: Codes): Int32Array {
  const offsets = new Int32Array(codes.bins.length + 1)
  for (let f = 0; f < codes.bins.length; f++) offsets[f + 1] = offsets[f] + codes.bins[f].codes
  return offsets
}

/**
 * Adds up packed gradients by code.
 * @param rows rows[begin..end) form the leaf
 * @param packed [channels, codes.rows]
 * @param used features to fill, ascending
 * @param gathered scratch, [end - begin]
 * @param out [channels, slots], overwritten (only the used features' slots, when dense)
 */
export function fillHistogram(
  codes: Codes,
  offsets: Int32Array,
  rows: Int32Array,
  begin: number,
  end: number,
  packed: Float64Array,
  channels: number,
  used: Int32Array,
  gathered: Float64Array,
  out: Float64Array,
): void {
  const slots = offsets[offsets.length - 1]
  out.fill(0, 0, channels * slots)
  for (let c = 0; c < channels; c++) {
    const values = packed.subarray(c * codes.rows, (c + 1) * codes.rows)
    const sums = out.subarray(c * slots, (c + 1) * slots)
    if (codes.layout === 'dense')
      fillDense(codes.columns, codes.rows, offsets, rows, begin, end, values, used, gathered, sums)
    else fillSparse(codes, offsets, rows, begin, end, values, sums)
  }
}

function fillDense(
  columns: Uint8Array,
  stride: number,
  offsets: Int32Array,
  rows: Int32Array,
  begin: number,
  end: number,
  values: Float64Array,
  used: Int32Array,
  gathered: Float64Array,
  sums: Float64Array,
): void {
  const count = end - begin
  for (let i = 0; i < count; i++) gathered[i] = values[rows[begin + i]]
  // Four features a pass: their sums do not wait for each other, and a row's gradient is fetched once.
  let u = 0
  for (; u + 4 <= used.length; u += 4) {
    const a = used[u] * stride
    const b = used[u + 1] * stride
    const c = used[u + 2] * stride
    const d = used[u + 3] * stride
    const toA = offsets[used[u]]
    const toB = offsets[used[u + 1]]
    const toC = offsets[used[u + 2]]
    const toD = offsets[used[u + 3]]
    for (let i = 0; i < count; i++) {
      const row = rows[begin + i]
      const value = gathered[i]
      sums[toA + columns[a + row]] += value
      sums[toB + columns[b + row]] += value
      sums[toC + columns[c + row]] += value
      sums[toD + columns[d + row]] += value
    }
  }
  for (; u < used.length; u++) {
    const a = used[u] * stride
    const to = offsets[used[u]]
    for (let i = 0; i < count; i++) sums[to + columns[a + rows[begin + i]]] += gathered[i]
  }
}

function fillSparse(
  codes: Extract<Codes, { layout: 'sparse' }>,
  offsets: Int32Array,
  rows: Int32Array,
  begin: number,
  end: number,
  values: Float64Array,
  sums: Float64Array,
): void {
  const { indptr, features, codes: stored, absent } = codes
  let total = 0
  for (let i = begin; i < end; i++) {
    const row = rows[i]
    const value = values[row]
    total += value
    for (let p = indptr[row]; p < indptr[row + 1]; p++) sums[offsets[features[p]] + stored[p]] += value
  }
  // Rows do not store zeros: their share is what the stored codes leave of the total.
  for (let f = 0; f < absent.length; f++) {
    let seen = 0
    for (let s = offsets[f]; s < offsets[f + 1]; s++) seen += sums[s]
    sums[offsets[f] + absent[f]] += total - seen
  }
}
