// Which steps stand for a whole sequence when only a few are looked at: the middles of equal parts. Of an even number, the second of
// every two follows the first by PAIR_STEPS at most, so that they show what moves however long the sequence is; of up to
// 2 * count steps the middles lie that close anyhow. The arithmetic is that of float32, so that a graph which picks steps itself
// (families/fronts/frames.ts) picks the same ones.

/** Between the two of a pair at most: .08 s at 25 frames a second, in which a limb moves by less than its own width. */
export const PAIR_STEPS = 2

/** Whether so many steps are chosen in pairs. */
export function inPairs(count: number): boolean {
  return count % 2 === 0
}

/** [count] as shares of the length. */
export function middleShares(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i + 0.5) / count)
}

/** Added before rounding down, since 8 * (3 / 8) may come out below 3. */
export const ROUNDING_MARGIN = 1e-4

/** Steps of a sequence whose length is the same in every example. */
export function middlesOfFixed(steps: number, count: number): number[] {
  const middles = Array.from(middleShares(count), (share) => Math.floor(share * steps + ROUNDING_MARGIN))
  return pairedUp(middles, steps - 1)
}

/** Steps of a sequence that has `steps` valid ones, where lengths vary. */
export function middlesOfVarying(steps: number, count: number): number[] {
  const { fround, floor, max } = Math
  const middles = Array.from(middleShares(count), (share) =>
    floor(fround(fround(steps * share) + fround(ROUNDING_MARGIN))),
  )
  return pairedUp(middles, max(0, steps - 1))
}

/** The second of every pair brought close to its first; none after `last`. */
function pairedUp(middles: readonly number[], last: number): number[] {
  const paired = inPairs(middles.length)
  return middles.map((middle, i) => {
    const latest = paired && i % 2 === 1 ? middles[i - 1] + PAIR_STEPS : middle
    return Math.min(middle, latest, last)
  })
}
