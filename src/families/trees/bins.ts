// Features as small integer codes, the form in which trees see data (Ke et al. 2017, LightGBM, section 2.1).
// Code 0 is NaN. An ordered feature's code c >= 1 holds x with cuts[c-2] < x <= cuts[c-1]; a split "code <= c" is the float32
// comparison x <= cuts[c-1], so a tree grown on codes and its exported form agree on every float32 input.
// A categorical feature has one code per distinct value and a last one for values not seen when bins were made. Left out: bundling of exclusive features (sparse rows do that work).

/** Codes fit a byte; 0 is taken by NaN. */
export const MAX_CODES = 255

export interface FeatureBins {
  /** Number of codes, NaN's included: 1 for a feature without a finite value. */
  codes: number
  /** Ascending float32 thresholds between ordered codes, [codes - 2]. Empty when categorical. */
  cuts: Float32Array
  /** Distinct values by code - 1, ascending, when the feature is categorical; else null. */
  values: Float32Array | null
}

/**
 * @param sample values of one feature, any order, NaN allowed
 * @param maxCodes most codes to use, NaN's included
 * @param categorical treat small non-negative integers as names, if there are few enough
 */
export function fitBins(sample: Float32Array, maxCodes: number, categorical: boolean): FeatureBins {
  const sorted = sample.filter((x) => !Number.isNaN(x)).sort()
  const { values, counts } = runs(sorted)
  if (values.length === 0) return { codes: 1, cuts: new Float32Array(0), values: null }
  if (categorical && values.length <= mostNames(sorted.length, maxCodes) && values.every(isName)) {
    return { codes: values.length + 2, cuts: new Float32Array(0), values }
  }
  const cuts = values.length < maxCodes ? midpoints(values) : quantileCuts(values, counts, sorted.length, maxCodes - 1)
  return { codes: cuts.length + 2, cuts, values: null }
}

/** Writes the codes of values[offset + i * stride] into out[outOffset + i], i < count. */
export function encode(
  bins: FeatureBins,
  values: Float32Array,
  offset: number,
  stride: number,
  count: number,
  out: Uint8Array,
  outOffset: number,
): void {
  for (let i = 0, at = offset; i < count; i++, at += stride) out[outOffset + i] = codeOf(bins, values[at])
}

export function codeOf(bins: FeatureBins, x: number): number {
  if (Number.isNaN(x) || bins.codes === 1) return 0
  if (bins.values !== null) {
    const at = countBelow(bins.values, x)
    return bins.values[at] === x ? at + 1 : bins.codes - 1
  }
  return countBelow(bins.cuts, x) + 1
}

/** How many entries of ascending `sorted` are < x. */
function countBelow(sorted: Float32Array, x: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle] < x) low = middle + 1
    else high = middle
  }
  return low
}

/** A name needs rows to be known by: with fewer than some forty each, integers are better taken as amounts. */
function mostNames(count: number, maxCodes: number): number {
  return Math.min(maxCodes - 2, 64, Math.max(4, Math.floor(count / 40)))
}

function isName(x: number): boolean {
  return x >= 0 && x < 1e6 && Number.isInteger(x)
}

function runs(sorted: Float32Array): { values: Float32Array; counts: Int32Array } {
  const values = new Float32Array(sorted.length)
  const counts = new Int32Array(sorted.length)
  let n = 0
  for (let i = 0; i < sorted.length; i++) {
    if (n > 0 && sorted[i] === values[n - 1]) counts[n - 1]++
    else {
      values[n] = sorted[i]
      counts[n++] = 1
    }
  }
  return { values: values.slice(0, n), counts: counts.slice(0, n) }
}

/** A float32 t with below <= t < above. */
function between(below: number, above: number): number {
  const middle = Math.fround(below / 2 + above / 2)
  return middle >= below && middle < above ? middle : below
}

function midpoints(values: Float32Array): Float32Array {
  return Float32Array.from({ length: values.length - 1 }, (_, i) => between(values[i], values[i + 1]))
}

/** About equally filled bins; a value with more than a bin's share gets a bin of its own. */
function quantileCuts(values: Float32Array, counts: Int32Array, total: number, bins: number): Float32Array {
  const cuts: number[] = []
  let left = total
  let filled = 0
  for (let i = 0; i < values.length - 1 && cuts.length < bins - 1; i++) {
    filled += counts[i]
    const share = left / (bins - cuts.length)
    const nextIsHeavy = counts[i + 1] >= share
    if (filled >= share || (nextIsHeavy && filled * 2 >= share)) {
      cuts.push(between(values[i], values[i + 1]))
      left -= filled
      filled = 0
    }
  }
  return Float32Array.from(cuts)
}
