// Another program's figures: each stage counts as published the moment it ends and only if it is better on the test labels, which
// is an upper bound for such a program.
import { readFileSync } from 'node:fs'
import { areaUnderLearningCurve, type CurvePoint } from '../../src/metrics/alc.ts'
import { parseDurationMs } from '../../src/support/units.ts'

export interface ReferenceFigures {
  firstS: number
  alc: number
  bestNauc: number
  /** null where accuracy means nothing. */
  bestAccuracy: number | null
}

interface Stage {
  name: string
  stage: string
  nauc: number
  acc: number | null
  first_s: number | null
  total_s: number
}

/** By dataset name. Stages that end after the budget do not count. */
export function readReference(path: string, budget: string): Map<string, ReferenceFigures> {
  const budgetS = parseDurationMs(budget) / 1000
  const stages = new Map<string, Stage[]>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.trim() === '') continue
    const stage = JSON.parse(line) as Stage
    if (stage.total_s <= budgetS) stages.set(stage.name, [...(stages.get(stage.name) ?? []), stage])
  }
  return new Map([...stages].map(([name, list]) => [name, figures(list, budgetS)]))
}

function figures(stages: Stage[], budgetS: number): ReferenceFigures {
  const inOrder = stages.toSorted((a, b) => a.total_s - b.total_s)
  const points: CurvePoint[] = []
  for (const { total_s, nauc } of inOrder) {
    if (points.length === 0 || nauc > points.at(-1)!.score) points.push({ timeS: total_s, score: nauc })
  }
  const accuracies = stages.flatMap(({ acc }) => (acc === null ? [] : [acc]))
  return {
    firstS: inOrder[0].total_s,
    alc: areaUnderLearningCurve(points, budgetS),
    bestNauc: points.at(-1)!.score,
    bestAccuracy: accuracies.length > 0 ? Math.max(...accuracies) : null,
  }
}
