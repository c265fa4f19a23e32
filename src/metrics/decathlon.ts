// Accuracy over many datasets: the Visual Domain Decathlon's score (Rebuffi, Bilen & Vedaldi 2017; PASCAL in Detail 2017).
// S = sum_d alpha_d * max(0, Emax_d - E_d)^2 with Emax_d = 2 * baseline error and alpha_d = 1000 / Emax_d^2: a perfect task
// is worth 1000, the baseline's error 250, twice its error or worse nothing.

export interface TaskError {
  /** Test error in [0, 1]. */
  error: number
  /** The baseline's test error on the same task, in [0, 1]. */
  baseline: number
}

/** One task's points, 0..1000. A baseline without error leaves room for nothing but perfection: 1000 or 0. */
export function decathlonPoints({ error, baseline }: TaskError): number {
  const worst = 2 * baseline
  if (worst <= 0) return error <= 0 ? 1000 : 0
  return 1000 * (Math.max(0, worst - error) / worst) ** 2
}

export function decathlonScore(tasks: readonly TaskError[]): number {
  return tasks.reduce((sum, task) => sum + decathlonPoints(task), 0)
}
