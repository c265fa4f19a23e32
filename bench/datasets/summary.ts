// What several seeds of one dataset say: means, standard deviations, who led, and whether later models were worse than earlier ones.
import type { MeasuredRun } from '../support/measured-run.ts'

export interface Spread {
  mean: number
  /** Of the sample; 0 for one run. */
  std: number
}

export interface Summary {
  name: string
  kind: string
  runs: number
  /** Exit codes other than 0, and runs without a prediction. */
  faults: string[]
  firstS: Spread
  alc: Spread
  nauc: Spread
  /** Argmax; means little where several labels hold at once. */
  accuracy: Spread
  /** Final NAUC minus the best of all milestones before it, per run. */
  finalMinusBest: number[]
  /** Whether the independent scorer agrees to four decimals on every run; null: not asked. */
  agrees: boolean | null
  /** Families in the order of the first run in which they led, with the mean second from which they did and in how many runs. */
  leaders: { family: string; fromS: number; runs: number }[]
}

export function summarise(name: string, runs: readonly MeasuredRun[]): Summary {
  const scored = runs.flatMap((run) => (run.score?.nauc == null ? [] : [{ ...run, score: run.score }]))
  const spreadOf = (value: (run: (typeof scored)[0]) => number | null) => spread(scored.map((run) => value(run) ?? 0))
  return {
    name,
    kind: runs[0]?.kind ?? '-',
    runs: runs.length,
    faults: runs.flatMap((run) => [
      ...(run.exit === 0 ? [] : [`exit ${run.exit}`]),
      ...(run.score?.nauc == null ? ['no prediction'] : []),
      ...run.failures,
    ]),
    firstS: spreadOf(({ score }) => score.firstS),
    alc: spreadOf(({ score }) => score.alc),
    nauc: spreadOf(({ score }) => score.nauc),
    accuracy: spreadOf(({ score }) => score.accuracy),
    finalMinusBest: scored.map(({ score: { curve } }) =>
      curve.length < 2 ? 0 : curve.at(-1)!.nauc - Math.max(...curve.slice(0, -1).map((point) => point.nauc)),
    ),
    agrees: scored.some(({ independent }) => independent !== null) ? scored.every(agreement) : null,
    leaders: leadersOf(scored),
  }
}

function agreement({ score, independent }: MeasuredRun): boolean {
  if (independent === null || score?.nauc == null) return false
  return Math.abs(independent.alc - score.alc) < 1e-4 && Math.abs(independent.final_nauc - score.nauc) < 1e-4
}

function leadersOf(runs: readonly MeasuredRun[]): Summary['leaders'] {
  const starts = new Map<string, number[]>()
  for (const { leaders } of runs) {
    for (const family of new Set(leaders.map((leader) => leader.family))) {
      const { fromS } = leaders.find((leader) => leader.family === family)!
      starts.set(family, [...(starts.get(family) ?? []), fromS])
    }
  }
  return [...starts]
    .map(([family, seconds]) => ({ family, fromS: spread(seconds).mean, runs: seconds.length }))
    .sort((a, b) => a.fromS - b.fromS)
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { mean: Number.NaN, std: Number.NaN }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, std: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) }
}
