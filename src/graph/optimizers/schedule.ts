// Learning-rate schedules: pure functions of training progress in [0, 1], so that the same code serves counted and timed training.

/** One cycle (Smith & Topin 2018): linear up to `peak` at `warmup`, then linear down to 0. */
export function oneCycle(progress: number, peak: number, warmup = 0.25): number {
  const at = Math.min(1, Math.max(0, progress))
  return at < warmup ? (peak * at) / warmup : (peak * (1 - at)) / (1 - warmup)
}

/** Half a cosine from `peak` to `floor` after a linear warm-up (Loshchilov & Hutter 2017, without restarts). */
export function cosine(progress: number, peak: number, warmup = 0.05, floor = 0): number {
  const at = Math.min(1, Math.max(0, progress))
  if (at < warmup) return (peak * at) / warmup
  return floor + ((peak - floor) * (1 + Math.cos((Math.PI * (at - warmup)) / (1 - warmup)))) / 2
}
