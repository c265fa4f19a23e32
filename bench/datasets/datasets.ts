// The accuracy tables: the real CLI on every dataset of a folder, some seeds each, scored by `automl score` and by an independent
// scorer. Writes OUT/results.json and OUT/tables.md, ready for docs/performance.md. Hours of runs: what is measured is kept in
// OUT/runs and not measured again, so that the same command goes on where it was stopped.
//   npm run bench:datasets -- DATA_FOLDER [--budget 60s,300s] [--seeds 3] [--only a,b] [--out DIR] [--scorer score.py]
//     [--reference script.jsonl] [--cli other/bin/automl.js]
// --reference: JSON lines {name, stage, nauc, acc, first_s, total_s} of another program's stages on the same machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { datasetsIn } from '../support/data-folder.ts'
import { kept } from '../support/kept-results.ts'
import { leadersText, type MeasuredRun, measureRun } from '../support/measured-run.ts'
import { readReference } from './reference.ts'
import { summarise } from './summary.ts'
import { budgetTable } from './table.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '60s' },
    seeds: { type: 'string', default: '3' },
    only: { type: 'string' },
    out: { type: 'string', default: '.tmp/datasets' },
    scorer: { type: 'string' },
    reference: { type: 'string' },
    cli: { type: 'string' },
  },
})
const folder = resolve(positionals[0] ?? '.')
const out = resolve(options.out)
const names = datasetsIn(folder, options.only)
const budgets = options.budget.split(',')
mkdirSync(out, { recursive: true })

const results = []
const tables: string[] = []
for (const budget of budgets) {
  const runs = new Map<string, MeasuredRun[]>(names.map((name) => [name, []]))
  // Seeds outermost: a pass over all datasets is worth having before the second begins.
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    for (const name of names) {
      const run = await kept(join(out, 'runs'), `${name}.${budget}.${seed}`, () => measure(name, budget, seed))
      console.error(
        `${name} ${budget} seed ${seed}: exit ${run.exit}, ALC ${run.score?.alc.toFixed(4) ?? '-'}, ${leadersText(run)}`,
      )
      runs.get(name)?.push(run)
    }
  }
  const summaries = names.map((name) => summarise(name, runs.get(name)!))
  const reference = options.reference === undefined ? null : readReference(options.reference, budget)
  results.push({ budget, summaries })
  tables.push(`### ${budget}, ${options.seeds} seeds\n\n${budgetTable(summaries, reference)}`)
}
writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
writeFileSync(join(out, 'tables.md'), `${tables.join('\n\n')}\n`)
console.log(tables.join('\n\n'))

function measure(name: string, budget: string, seed: number): MeasuredRun {
  return measureRun({
    data: join(folder, name),
    solution: join(folder, name, `${name}.solution`),
    budget,
    out: join(out, 'run'),
    flags: ['--seed', String(seed)],
    scorer: options.scorer,
    cli: options.cli,
  })
}
