// What is wrong with a run on a variant, in words; nothing when it is as it should be.
import type { MeasuredRun } from '../support/measured-run.ts'
import { chanceError } from './chance.ts'
import type { Editable } from './editable.ts'
import type { Variant } from './variant.ts'

/** Seconds of the first prediction that a person would call late, whatever the data. */
const LATE_S = 3
/** Warnings of a run, and lines on stderr that are not the reporter's: a native library's, Node's. */
const FLOOD = { warnings: 8, foreign: 2 }
/** Standard errors: chance does not go so far, even where several runs are looked at. */
const CHANCE_ERRORS = 3.5

export function judge(
  variant: Variant,
  data: Editable,
  run: MeasuredRun,
  base: MeasuredRun | null,
  budgetS: number,
): string[] {
  const problems: string[] = []
  const { score } = run
  if (run.exit !== 0) problems.push(`exit ${run.exit}: ${run.stderr.at(-1) ?? ''}`)
  if (run.wallS > budgetS + Math.max(1, budgetS / 100) + 0.5) problems.push(`ended after ${run.wallS.toFixed(1)} s`)
  for (const failure of new Set(run.failures)) problems.push(`failed ${failure}`)
  if (run.warnings.length > FLOOD.warnings) problems.push(`${run.warnings.length} warnings`)
  const foreign = run.stderr.filter((line) => !line.startsWith(' ') && !line.startsWith(`${data.spec.name}: `))
  if (foreign.length > FLOOD.foreign) problems.push(`${foreign.length} foreign lines on stderr, first: ${foreign[0]}`)
  if (score?.nauc == null || score.firstS === null) return [...problems, 'no prediction']
  if (score.firstS > LATE_S) problems.push(`first prediction after ${score.firstS.toFixed(1)} s`)
  if (score.late > 0) problems.push(`${score.late} late predictions`)
  const { expect } = variant
  switch (expect.kind) {
    case 'near': {
      const drop = typeof expect.drop === 'number' ? expect.drop : expect.drop(data)
      if (base?.score?.nauc != null && score.nauc < base.score.nauc - drop) {
        problems.push(`${(base.score.nauc - score.nauc).toFixed(3)} below the base, ${drop.toFixed(2)} allowed`)
      }
      break
    }
    case 'chance': {
      const test = CHANCE_ERRORS * chanceError(data.test, data.spec.outputDim)
      const judged = Math.min(2500, data.train.length < 1000 ? data.train.length : data.train.length * 0.2)
      const validation = test * Math.sqrt(data.test.length / judged)
      if (Math.abs(score.nauc) > test) problems.push(`not at chance on test: |NAUC| over ${test.toFixed(3)}`)
      if (run.claim !== null && run.claim > validation) {
        problems.push(`validation claims ${run.claim.toFixed(3)}, over ${validation.toFixed(3)}`)
      }
      break
    }
    case 'runs':
      break
    default:
      throw expect satisfies never
  }
  return problems
}
