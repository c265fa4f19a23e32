// Scores a run's predictions against the true labels, as the challenge's public scorer does (dataset format, sections 4 and 5),
// but predictions later than the budget never count.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { accuracy, softAccuracy } from '../metrics/accuracy.ts'
import { areaUnderLearningCurve } from '../metrics/alc.ts'
import { nauc } from '../metrics/nauc.ts'
import { predictionNumbers, readStart } from '../run/protocol.ts'
import { DataError } from '../support/errors.ts'
import { readScoreTable } from './read-score-table.ts'

export interface ScoredPrediction {
  k: number
  timeS: number
  nauc: number
  accuracy: number
  softAccuracy: number
}

export interface RunScore {
  task: string
  budgetS: number
  t0S: number
  alc: number
  /** Of the last prediction in time; null when there is none. */
  nauc: number | null
  accuracy: number | null
  softAccuracy: number | null
  firstS: number | null
  /** Predictions that came after the budget. */
  late: number
  curve: ScoredPrediction[]
}

/**
 * @param path a run folder, or the folder of its predictions
 * @param budgetS T; null: the run's own
 * @throws DataError when predictions or solution are missing or disagree
 */
export function scoreRun(path: string, solutionPath: string, budgetS: number | null, t0S: number): RunScore {
  const folder = predictionsFolder(path)
  const { task, budgetS: ownBudgetS } = readTask(folder)
  const limitS = budgetS ?? ownBudgetS
  if (!(limitS > 0))
    throw new DataError('DATA_MISMATCH', {
      file: join(folder, 'start.txt'),
      field: 'time_budget',
      rule: 'is missing',
      hint: 'give the budget with --T',
    })
  const solution = readScoreTable(solutionPath)
  const { startTimeS, timesS } = readStart(folder)
  const curve: ScoredPrediction[] = []
  let late = 0
  for (const k of predictionNumbers(folder, task)) {
    const time = timesS.get(k)
    if (time === undefined) continue
    const timeS = time - startTimeS
    if (timeS > limitS) {
      late++
      continue
    }
    const file = join(folder, `${task}.predict_${k}`)
    const prediction = readScoreTable(file)
    if (prediction.count !== solution.count || prediction.classCount !== solution.classCount) {
      throw new DataError('DATA_MISMATCH', {
        file,
        value: `${prediction.count} x ${prediction.classCount} scores`,
        rule: `must be ${solution.count} x ${solution.classCount}, as ${solutionPath}`,
      })
    }
    curve.push({
      k,
      timeS,
      nauc: nauc(solution.scores, prediction.scores, solution.classCount),
      accuracy: accuracy(solution.scores, prediction.scores, solution.classCount),
      softAccuracy: softAccuracy(solution.scores, prediction.scores, solution.classCount),
    })
  }
  curve.sort((a, b) => a.timeS - b.timeS)
  const points = curve.map((point) => ({ timeS: point.timeS, score: point.nauc }))
  const last = curve.at(-1)
  return {
    task,
    budgetS: limitS,
    t0S,
    alc: areaUnderLearningCurve(points, limitS, t0S),
    nauc: last?.nauc ?? null,
    accuracy: last?.accuracy ?? null,
    softAccuracy: last?.softAccuracy ?? null,
    firstS: curve[0]?.timeS ?? null,
    late,
    curve,
  }
}

function predictionsFolder(path: string): string {
  for (const folder of [join(path, 'predictions'), path]) if (existsSync(join(folder, 'start.txt'))) return folder
  throw new DataError('DATA_MISSING', {
    file: path,
    rule: 'holds neither predictions/start.txt nor start.txt',
    hint: 'give a run folder of automl fit, or the predictions folder of any solution in the challenge',
  })
}

function readTask(folder: string): { task: string; budgetS: number } {
  const text = readFileSync(join(folder, 'start.txt'), 'utf8')
  const task = /^task_name: *(.*)$/m
    .exec(text)?.[1]
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
  if (task === undefined || task === '') {
    throw new DataError('DATA_MISMATCH', { file: join(folder, 'start.txt'), field: 'task_name', rule: 'is missing' })
  }
  return { task, budgetS: Number(/^time_budget: *([\d.]+)/m.exec(text)?.[1] ?? Number.NaN) }
}
