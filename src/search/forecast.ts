// What more time would buy a trial, judged from its curve: freeze-thaw's idea (Swersky, Snoek & Adams 2014) with the simplest
// model that ranks trials rightly: the best-so-far objective grows with the logarithm of the time spent, at a rate read off the
// second half of what was spent, and somewhat slower from now on. No Gaussian process: there are few points, and decisions
// come every few hundred milliseconds.

export interface CurvePoint {
  /** Time the trial had spent, in the schedule's unit (milliseconds or yields). */
  spent: number
  objective: number
}

/** Growth slows down: a forecast takes this share of the measured rate. */
const RATE_KEPT = 0.7
/** Rate of a trial with one point, as a share of its distance to perfection: hopeful, so that second points are seen. */
const FRESH_RATE = 0.1
/** A trial on a schedule that leads, or nearly, is not given up while its schedule has its best part (the annealing) to come. */
const SCHEDULED_RATE = 0.05
/** Perfection is never quite reached, so that hope is never quite 0. */
const GAP_FLOOR = 0.002
/** A model that comes this close to the best, as a share of the best's distance to perfection, still helps a blend. */
const BLEND_REACH = 0.1

/** Objective per unit of ln(time) that the trial gained lately. */
export function growthRate(curve: readonly CurvePoint[], spent: number): number {
  if (curve.length === 0) return 0
  const best = envelope(curve, spent)
  if (curve.length === 1) return FRESH_RATE * gap(best)
  const early = Math.max(spent / 2, curve[0].spent)
  const since = Math.log(Math.max(spent, 1e-9) / Math.max(early, 1e-9))
  return since <= 0 ? FRESH_RATE * gap(best) : Math.max(0, best - envelope(curve, early)) / since
}

export interface ForecastInput {
  curve: readonly CurvePoint[]
  spent: number
  /** Best objective of the run. */
  best: number
  /** What the next slice would be, and all time that is left. */
  slice: number
  remaining: number
  /** The trial follows a schedule that is not over. */
  scheduled: boolean
}

/** Expected gain over the run's best per unit of time, at the horizon that pays most; 0: it is not worth going on. */
export function gainPerTime({ curve, spent, best, slice, remaining, scheduled }: ForecastInput): number {
  if (curve.length === 0 || remaining <= 0) return 0
  const now = envelope(curve, spent)
  const reach = BLEND_REACH * gap(best)
  const leads = now >= best - reach
  const rate = Math.max(growthRate(curve, spent), scheduled && leads ? SCHEDULED_RATE * gap(now) : 0)
  let value = 0
  for (let horizon = slice; ; horizon *= 2) {
    const until = Math.min(horizon, remaining)
    const reached = now + RATE_KEPT * rate * Math.log1p(until / Math.max(spent, slice))
    // A trial that leads is measured against itself; one that follows must come within reach first.
    const gain = leads ? reached - now : reached - (best - reach)
    value = Math.max(value, gain / until)
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
