// What more time would buy a trial, judged from its curve: freeze-thaw's idea (Swersky, Snoek & Adams 2014) with the simplest
// model that ranks trials rightly: what is missing to perfection falls as a power of the time spent, as learning curves do, with
// an exponent read off the later half of its curve, and more slowly from now on. No Gaussian process: there are few
// points, and decisions come every few hundred milliseconds.

export interface CurvePoint {
  /** Time the trial had spent, in the schedule's unit (milliseconds or yields). */
  spent: number
  objective: number
}

/** Growth slows down: a forecast takes this share of the measured exponent. */
const EXPONENT_KEPT = 0.7
/** Exponent of a trial with one point: hopeful, so that second points (and fits on all rows) are seen. */
const FRESH_EXPONENT = 0.3
/** The same of one without an end: a network's first point is far from its last. */
const OPEN_FRESH_EXPONENT = 0.6
/** At least this for one without an end that leads, or nearly: what it is annealing towards does not show yet. */
const OPEN_EXPONENT = 0.1
/** What a trial learned since its last point counts as learned, up to so many times the time until then. */
const MOST_UNSEEN = 4
/** Perfection is never quite reached, so that hope is never quite 0. */
const GAP_FLOOR = 1e-4
/** A model that comes this close to the best, as a share of the best's distance to perfection, still helps a blend. */
const BLEND_REACH = 0.1

/** a in gap(t) ~ t^-a, from the middle of the time spent to the last point. What was spent since then has not shown yet. */
export function learningExponent(curve: readonly CurvePoint[], openEnded = false): number {
  if (curve.length === 0) return 0
  const last = curve[curve.length - 1]
  const early = curve.findLast((point) => point.spent <= last.spent / 2) ?? curve[0]
  const since = Math.log(last.spent / early.spent)
  if (!(since > 0)) return openEnded ? OPEN_FRESH_EXPONENT : FRESH_EXPONENT
  return Math.max(0, Math.log(gap(envelope(curve, early.spent)) / gap(envelope(curve, last.spent)))) / since
}

export interface ForecastInput {
  curve: readonly CurvePoint[]
  spent: number
  /** Best objective of the run. */
  best: number
  /** What the next slice would be, and all time that is left. */
  slice: number
  remaining: number
  /** It does not know an end of its own: it learns for as long as it may. */
  openEnded: boolean
}

/** Expected gain over the run's best per unit of time, at the horizon that pays most; 0: it is not worth going on. */
export function gainPerTime({ curve, spent, best, slice, remaining, openEnded }: ForecastInput): number {
  if (curve.length === 0 || remaining <= 0) return 0
  const missing = gap(envelope(curve, spent))
  const within = gap(best) * (1 + BLEND_REACH)
  const leads = missing <= within
  const exponent = Math.max(learningExponent(curve, openEnded), openEnded && leads ? OPEN_EXPONENT : 0)
  const unseen = Math.min(MOST_UNSEEN, Math.max(1, spent / curve[curve.length - 1].spent))
  let value = 0
  for (let horizon = slice; ; horizon *= 2) {
    const until = Math.min(horizon, remaining)
    const then = missing * (unseen * (1 + until / Math.max(spent, slice))) ** (-EXPONENT_KEPT * exponent)
    // A trial that leads is measured against itself; one that follows must come within reach first.
    value = Math.max(value, ((leads ? missing : within) - then) / until)
    if (horizon >= remaining) return value
  }
}

/** Distance to perfection. */
export function gap(objective: number): number {
  return Math.max(1 - objective, GAP_FLOOR)
}

/** Best objective among points up to `spent`; the first point's before it. */
function envelope(curve: readonly CurvePoint[], spent: number): number {
  let best = curve[0].objective
  for (const point of curve) if (point.spent <= spent && point.objective > best) best = point.objective
  return best
}
