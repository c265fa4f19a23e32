// When training cycles end. The score is an area over log time, so each cycle makes the time trained so far about GROWTH times
// longer, and the growth is bent a little so that one of the ends falls on the deadline rather than just behind it.

/** Three: the last cycle then takes two thirds of all training time, and earlier answers come at a third, a ninth, ... of it. */
const GROWTH = 3

/**
 * Length of the next cycle.
 * @param spentMs trained so far; @param leftMs what may still come; @param firstMs length of a first cycle
 * @returns null when what is left is too short to gain anything
 */
export function nextCycleMs(spentMs: number, leftMs: number, firstMs: number): number | null {
  if (leftMs <= 0) return null
  const spent = Math.max(spentMs, firstMs / (GROWTH - 1))
  const growth = (spent + leftMs) / spent
  if (spentMs > 0 && growth < 1.12) return null
  const cycles = Math.max(1, Math.round(Math.log(growth) / Math.log(GROWTH)))
  return Math.min(leftMs, spent * (growth ** (1 / cycles) - 1))
}

/**
 * The same where the network may change. If the last cycle would train a new one from nothing, it starts now: what the old one
 * would still learn counts for a short while only, and the new one needs the time.
 * @param startsAnew whether a cycle of that length would train such a network
 */
export function nextCycleMsBefore(
  startsAnew: (cycleMs: number) => boolean,
  spentMs: number,
  leftMs: number,
  firstMs: number,
): number | null {
  const next = nextCycleMs(spentMs, leftMs, firstMs)
  if (next === null || startsAnew(next)) return next
  const rest = leftMs - next
  const last = nextCycleMs(spentMs + next, rest, firstMs)
  return last !== null && last >= 0.98 * rest && startsAnew(rest) ? leftMs : next
}

/**
 * Whether to publish in the middle of a cycle. Publishing costs a pass over validation and test data, so it waits until the
 * time since the last one is both a fixed share of all and many times that cost.
 */
export function publishIsDue(spentMs: number, publishedAtMs: number, publishCostMs: number): boolean {
  const since = spentMs - publishedAtMs
  return since >= 0.35 * publishedAtMs && since >= 8 * publishCostMs
}
