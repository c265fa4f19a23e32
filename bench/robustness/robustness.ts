// Robustness: the real CLI without any flag but --budget and --out on datasets made from those of a folder (bench/robustness/variants),
// one after the other, a table line each. What has been measured is kept in the output folder and not measured again.
//   npm run bench:robustness -- DATA_FOLDER [--budget 20s] [--only a,b] [--variants "two classes,30 % missing"] [--out DIR]
//     [--scorer score.py] [--cli other/bin/automl.js]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Rng } from '../../src/support/rng.ts'
import { parseDurationMs } from '../../src/support/units.ts'
import { datasetsIn } from '../support/data-folder.ts'
import { kept } from '../support/kept-results.ts'
import { type MeasuredRun, measureRun } from '../support/measured-run.ts'
import { type Editable, readEditable, writeEditable } from './editable.ts'
import { judge } from './judge.ts'
import type { Variant } from './variant.ts'
import { labelVariants } from './variants/labels.ts'
import { pictureVariants } from './variants/pictures.ts'
import { sequenceVariants } from './variants/sequences.ts'
import { valueVariants } from './variants/values.ts'

const VARIANTS: readonly Variant[] = [...labelVariants, ...pictureVariants, ...valueVariants, ...sequenceVariants]

interface Result {
  dataset: string
  variant: string
  run: MeasuredRun
  problems: string[]
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '20s' },
    only: { type: 'string' },
    variants: { type: 'string' },
    out: { type: 'string', default: '.tmp/robustness' },
    scorer: { type: 'string' },
    cli: { type: 'string' },
  },
})
const folder = resolve(positionals[0] ?? '.')
const out = resolve(options.out)
const budgetS = parseDurationMs(options.budget) / 1000
const wanted = options.variants?.split(',')
const scratch = mkdtempSync(join(tmpdir(), 'automl-robustness-'))
const results: Result[] = []
console.log(header())
try {
  for (const name of datasetsIn(folder, options.only)) await measureDataset(name)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
writeFileSync(join(out, `robustness-${options.budget}.json`), JSON.stringify(results, null, 1))
const faulty = results.filter(({ problems }) => problems.length > 0)
console.log(`\n${results.length} runs, ${faulty.length} with problems`)
process.exitCode = faulty.length > 0 ? 1 : 0

async function measureDataset(name: string): Promise<void> {
  const place = join(folder, name)
  const fit = (data: string, task: string) =>
    measureRun({
      data,
      solution: join(data, `${task}.solution`),
      budget: options.budget,
      out: join(scratch, 'run'),
      scorer: options.scorer,
      cli: options.cli,
    })
  const base = await kept(out, `${name}.${options.budget}`, () => fit(place, name))
  const data = await readEditable(place, name)
  for (const variant of VARIANTS) {
    if ((wanted !== undefined && !wanted.includes(variant.name)) || !variant.applies(data)) continue
    // Made even where the result is kept: what is expected depends on the labels of this variant.
    const changed = variant.make(data, Rng.fromSeed(1).split(variant.name))
    const run = await kept(out, `${name}.${variant.name}.${options.budget}`, () => {
      const at = join(scratch, 'data')
      writeEditable(at, changed)
      try {
        return fit(at, name)
      } finally {
        rmSync(at, { recursive: true, force: true })
      }
    })
    report(
      { dataset: name, variant: variant.name, run, problems: judge(variant, changed, run, base, budgetS) },
      base,
      changed,
    )
  }
}

function header(): string {
  const cells = [
    'dataset',
    'variant',
    'kind',
    'examples',
    'base NAUC',
    'NAUC',
    'validation',
    'first s',
    'ALC',
    'exit',
    'problems',
  ]
  return `| ${cells.join(' | ')} |\n|${cells.map(() => '---').join('|')}|`
}

function report(result: Result, base: MeasuredRun, data: Editable): void {
  results.push(result)
  const { run } = result
  const number = (value: number | null | undefined, digits = 4) => (value == null ? '-' : value.toFixed(digits))
  const cells = [
    result.dataset,
    result.variant,
    run.kind ?? '-',
    `${data.train.length}/${data.test.length}`,
    number(base.score?.nauc),
    number(run.score?.nauc),
    number(run.claim),
    number(run.score?.firstS, 2),
    number(run.score?.alc),
    String(run.exit),
    result.problems.join('; ') || 'none',
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
