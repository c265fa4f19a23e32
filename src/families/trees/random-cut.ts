// Random thresholds for extremely randomised trees, and the quick stream of random integers that draws them.
import type { Rng } from '../../support/rng.ts'

/** xorshift32: thresholds and features are drawn millions of times. Returns draws of integers in [0, limit). */
export function quickStream(rng: Rng): (limit: number) => number {
  let state = rng.uint32() | 1
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 4294967296) * limit)
  }
}

/** Neighbouring cuts are about equally far apart. */
export function areEven(cuts: Float32Array): boolean {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (let c = 1; c < cuts.length; c++) {
    least = Math.min(least, cuts[c] - cuts[c - 1])
    most = Math.max(most, cuts[c] - cuts[c - 1])
  }
  return !(most > 1.5 * least)
}

/** Draws in [0, 2^24) make fractions fine enough for float32. */
const FRACTION = 2 ** 24

/**
 * A random threshold between codes lowest < highest: the cut nearest to a uniform draw over the values between the outer cuts, each
 * widened by half its neighbouring bin. Tails count as no wider than that, so outliers do not attract thresholds.
 * Returns the code left of the cut.
 */
export function drawCut(cuts: Float32Array, lowest: number, highest: number, below: (limit: number) => number): number {
  const first = lowest - 1
  const last = highest - 2
  if (first === last) return lowest
  const low = cuts[first] - (cuts[first + 1] - cuts[first]) / 2
  const high = cuts[last] + (cuts[last] - cuts[last - 1]) / 2
  // Infinite or overflowing cuts leave only their order.
  if (!(high - low < Number.MAX_VALUE)) return lowest + below(highest - lowest)
  const wanted = low + ((high - low) * below(FRACTION)) / FRACTION
  let from = first
  let to = last
  while (from < to) {
    const middle = (from + to) >>> 1
    if (cuts[middle] + cuts[middle + 1] < 2 * wanted) from = middle + 1
    else to = middle
  }
  return from + 1
}
