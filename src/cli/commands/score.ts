// `automl score`: how good a run's predictions were, over time, against the true labels.
import { UsageError } from '../../support/errors.ts'
import { formatDuration } from '../../support/units.ts'
import { defineCommand } from '../command.ts'
import { DEBUG_OPTION, JSON_OPTION } from '../common-options.ts'
import { printJson, printResult } from '../output.ts'
import type { RunScore } from '../score-run.ts'
import { textTable } from '../text-table.ts'

export const scoreCommand = defineCommand({
  name: 'score',
  summary: 'score the predictions of a run: ALC, NAUC, accuracy and the learning curve',
  arguments: [{ name: 'run', summary: 'run folder, or a folder with start.txt and <task>.predict_k' }],
  options: {
    solution: { kind: 'path', metavar: 'file', summary: 'the true labels, a line per test example (required)' },
    T: {
      kind: 'duration',
      metavar: 'time',
      summary: 'budget that the area is taken over (default: the run’s own)',
    },
    t0: {
      kind: 'duration',
      metavar: 'time',
      default: '60s',
      summary: 'where the time axis turns from linear to logarithmic',
      reason: 'the challenge takes 60 s',
    },
    ...JSON_OPTION,
    ...DEBUG_OPTION,
  },
  examples: [
    'automl score runs/digits --solution fixtures/digits/digits.solution',
    'automl score runs/digits --solution fixtures/digits/digits.solution --T 20m --json',
  ],
  async run({ arguments: [run], options }) {
    if (options.solution === undefined) {
      throw new UsageError(
        '--solution: is missing; must name the file of true labels',
        'automl score <run> --solution <name>.solution',
      )
    }
    const { scoreRun } = await import('../score-run.ts')
    const score = scoreRun(run, options.solution, options.T === undefined ? null : options.T / 1000, options.t0 / 1000)
    if (options.json) printJson({ v: 1, ...score })
    else printResult(describe(score))
    return 0
  },
})

function describe(score: RunScore): string {
  const time = (seconds: number) => formatDuration(seconds * 1000)
  const number = (value: number | null) => (value === null ? '-' : value.toFixed(4))
  const lines = [
    `ALC       ${number(score.alc)}  (T ${time(score.budgetS)}, t0 ${time(score.t0S)})`,
    `NAUC      ${number(score.nauc)}`,
    `accuracy  ${number(score.accuracy)}  (soft ${number(score.softAccuracy)})`,
    `first     ${score.firstS === null ? '-' : time(score.firstS)}`,
  ]
  if (score.late > 0) lines.push(`late      ${score.late} predictions came after the budget and do not count`)
  const rows = score.curve.map((point) => [
    String(point.k),
    `${point.timeS.toFixed(2)}s`,
    point.nauc.toFixed(4),
    point.accuracy.toFixed(4),
  ])
  return `${lines.join('\n')}\n\n${textTable(['k', 'time', 'NAUC', 'accuracy'], rows)}`
}
