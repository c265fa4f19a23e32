// ALC, the area under the learning curve over transformed time tau(t) = ln(1 + t/t0) / ln(1 + T/t0) (format, section 5).
// The curve is a step function holding the latest score; it is 0 before the first prediction. Predictions after T do not count.

export interface CurvePoint {
  /** Seconds since the start. */
  timeS: number
  score: number
}

/** tau(t): [0, T] -> [0, 1]. @default t0 60 s, as the challenge */
export function transformedTime(timeS: number, budgetS: number, t0S = 60): number {
  return Math.log1p(timeS / t0S) / Math.log1p(budgetS / t0S)
}

/** Area of the steps over tau in [0, 1]. Points may come in any order. */
export function areaUnderLearningCurve(points: readonly CurvePoint[], budgetS: number, t0S = 60): number {
  const inTime = points.filter((point) => point.timeS <= budgetS).sort((a, b) => a.timeS - b.timeS)
  let area = 0
  for (let i = 0; i < inTime.length; i++) {
    const until = i + 1 < inTime.length ? inTime[i + 1].timeS : budgetS
    area += inTime[i].score * (transformedTime(until, budgetS, t0S) - transformedTime(inTime[i].timeS, budgetS, t0S))
  }
  return area
}
