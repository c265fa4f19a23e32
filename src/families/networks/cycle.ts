// Learning-rate course of one training cycle: linear warm-up, then a cosine down to almost nothing (one-cycle policy, Smith & Topin
// 2018, with the cosine of Loshchilov & Hutter 2017). Later cycles start warm: they skip most of the warm-up and peak lower.

export interface CycleShape {
  /** Share of the cycle spent warming up. */
  warmup: number
  /** Highest rate as a multiple of the optimizer's base rate. */
  peak: number
  /** Rate at the start of the warm-up and at the end, as a share of the peak. */
  start: number
  end: number
}

/** Fresh weights stand a high rate only after a while. */
export const FIRST_CYCLE: CycleShape = { warmup: 0.2, peak: 1, start: 0.1, end: 0.01 }
/** Restarting at the full rate would throw away what the last cycle found; half of it still escapes its minimum. */
export const LATER_CYCLE: CycleShape = { warmup: 0.05, peak: 0.6, start: 0.3, end: 0.005 }

/** Rows held out until now join at the end: low enough to keep what was learned, high enough to learn from them. */
export const REFIT_CYCLE: CycleShape = { warmup: 0.1, peak: 0.25, start: 0.2, end: 0.005 }

/** @param done share of the cycle in [0, 1]; @returns factor on the base learning rate */
export function rateAt(shape: CycleShape, done: number): number {
  const { warmup, peak, start, end } = shape
  if (done < warmup) return peak * (start + ((1 - start) * done) / warmup)
  const fall = Math.min(1, (done - warmup) / (1 - warmup))
  return peak * (end + ((1 - end) * (1 + Math.cos(Math.PI * fall))) / 2)
}
