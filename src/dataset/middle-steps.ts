// Which steps stand for a whole sequence when only a few are looked at: the middles of equal parts. The arithmetic is that of float32,
// so that a graph which picks steps itself (families/fronts/frames.ts) picks the same ones.

/** [count] as shares of the length. */
export function middleShares(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i + 0.5) / count)
}

/** Steps of a sequence whose length is the same in every example. */
export function middlesOfFixed(steps: number, count: number): number[] {
  return Array.from(middleShares(count), (share) => Math.min(steps - 1, Math.floor(share * steps)))
}

/** Added before rounding down, since 8 * (3 / 8) may come out below 3. */
export const ROUNDING_MARGIN = 1e-4

/** Steps of a sequence that has `steps` valid ones, where lengths vary. */
export function middlesOfVarying(steps: number, count: number): number[] {
  const { fround, floor, max, min } = Math
  const last = max(0, steps - 1)
  return Array.from(middleShares(count), (share) =>
    min(last, floor(fround(fround(steps * share) + fround(ROUNDING_MARGIN)))),
  )
}
