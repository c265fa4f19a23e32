// What each family earns: the whole ladder against the ladder without one family at a time, ALC and final NAUC, per dataset and per
// kind of data. A family that earns nothing anywhere is to be deleted. Results are kept in OUT and not measured again.
//   npm run bench:ablation -- DATA_FOLDER [--budget 60s] [--seeds 1] [--only a,b] [--out DIR] [--cli other/bin/automl.js]
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { datasetsIn } from '../support/data-folder.ts'
import { kept } from '../support/kept-results.ts'
import { leadersText, type MeasuredRun, measureRun } from '../support/measured-run.ts'
import { type Ablation, datasetTable, kindTable } from './tables.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '60s' },
    seeds: { type: 'string', default: '1' },
    only: { type: 'string' },
    out: { type: 'string', default: '.tmp/ablation' },
    cli: { type: 'string' },
  },
})
const folder = resolve(positionals[0] ?? '.')
const out = resolve(options.out)
mkdirSync(out, { recursive: true })

const ablations: Ablation[] = []
for (const name of datasetsIn(folder, options.only)) ablations.push(await ablate(name))
const text = `${datasetTable(ablations)}\n\n${kindTable(ablations)}`
writeFileSync(join(out, `ablation-${options.budget}.json`), `${JSON.stringify(ablations, null, 1)}\n`)
writeFileSync(join(out, `ablation-${options.budget}.md`), `${text}\n`)
console.log(text)

async function ablate(name: string): Promise<Ablation> {
  const whole = await seeds(name, 'whole', [])
  const families = [...new Set(whole.flatMap(({ tried }) => tried))]
  const without: Ablation['without'] = []
  for (const family of families) {
    const rest = families.filter((other) => other !== family)
    if (rest.length === 0) continue
    without.push({ family, ...means(await seeds(name, `without-${family}`, ['--families', rest.join(',')])) })
  }
  return { name, kind: whole[0].kind ?? '-', ...means(whole), leaders: whole.map(leadersText), without }
}

async function seeds(name: string, label: string, flags: readonly string[]): Promise<MeasuredRun[]> {
  const runs: MeasuredRun[] = []
  for (let seed = 0; seed < Number(options.seeds); seed++) {
    const run = await kept(join(out, 'runs'), `${name}.${label}.${options.budget}.${seed}`, () =>
      measureRun({
        data: join(folder, name),
        solution: join(folder, name, `${name}.solution`),
        budget: options.budget,
        out: join(out, 'run'),
        flags: ['--seed', String(seed), ...flags],
        cli: options.cli,
      }),
    )
    console.error(`${name} ${label} seed ${seed}: exit ${run.exit}, ALC ${run.score?.alc.toFixed(4) ?? '-'}`)
    runs.push(run)
  }
  return runs
}

/** A run without a prediction counts as 0. */
function means(runs: readonly MeasuredRun[]): { alc: number; nauc: number } {
  const mean = (value: (run: MeasuredRun) => number) => runs.reduce((sum, run) => sum + value(run), 0) / runs.length
  return { alc: mean(({ score }) => score?.alc ?? 0), nauc: mean(({ score }) => score?.nauc ?? 0) }
}
