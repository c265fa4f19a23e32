// The accuracy table: the real CLI on every dataset of a folder, scored by an independent scorer and by our own `score`.
//   node bench/datasets/run.js DATA_FOLDER [--budget 60s] [--scorer score.py] [--seeds 0,1,2] [--only a,b] [--out FOLDER]
// Prints a Markdown table; FOLDER keeps the runs and results.json. Without python3, numpy or the scorer only our own figures stand.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '60s' },
    scorer: { type: 'string' },
    seeds: { type: 'string', default: '0' },
    only: { type: 'string' },
    out: { type: 'string', default: '.tmp/datasets' },
  },
})
const folder = resolve(positionals[0] ?? '.')
const out = resolve(values.out)
const automl = fileURLToPath(new URL('../../bin/automl.js', import.meta.url))
const only = values.only?.split(',')
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && (only === undefined || only.includes(entry.name)))
  .map((entry) => entry.name)

mkdirSync(out, { recursive: true })
const results = []
console.log(
  '| dataset | seed | first s | ALC | final NAUC | accuracy | best NAUC | models | score.py agrees | led by |',
)
console.log('|---|---|---|---|---|---|---|---|---|---|')
for (const name of names) for (const seed of values.seeds.split(',')) measure(name, seed)
writeFileSync(join(out, 'results.json'), JSON.stringify(results, null, 1))

function measure(name, seed) {
  const run = join(out, `${name}-${seed}`)
  const solution = join(folder, name, `${name}.solution`)
  rmSync(run, { recursive: true, force: true })
  const fit = ['fit', join(folder, name), '--budget', values.budget, '--seed', seed, '--ui', 'none', '--out', run]
  const started = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [automl, ...fit], { encoding: 'utf8' })
  const wallS = (performance.now() - started) / 1000
  if (status !== 0) {
    console.log(`| ${name} | ${seed} | exit ${status}: ${stderr.trim().split('\n')[0]} |`)
    return
  }
  const ours = JSON.parse(
    execFileSync(process.execPath, [automl, 'score', run, '--solution', solution, '--json'], { encoding: 'utf8' }),
  )
  const theirs = values.scorer && independent(values.scorer, join(run, 'predictions'), solution)
  const leaders = ledBy(join(run, 'journal.jsonl'))
  results.push({ name, seed, wallS, ours, theirs, leaders })
  const best = Math.max(...ours.curve.map((point) => point.nauc))
  const agrees = theirs
    ? Math.abs(theirs.alc - ours.alc) < 1e-4 && Math.abs(theirs.final_nauc - ours.nauc) < 1e-4
      ? 'yes'
      : 'NO'
    : '-'
  const cells = [
    name,
    seed,
    ours.firstS.toFixed(2),
    ours.alc.toFixed(4),
    ours.nauc.toFixed(4),
    ours.accuracy.toFixed(4),
  ]
  console.log(`| ${[...cells, best.toFixed(4), ours.curve.length, agrees, leaders].join(' | ')} |`)
}

/** `linear 0.6, patches 9.1, image-net 31`: which family weighed most in the published model, from which second on. */
function ledBy(journal) {
  const changes = []
  for (const line of readFileSync(journal, 'utf8').split('\n')) {
    const event = line.trim() ? JSON.parse(line) : null
    if (event?.type !== 'milestone') continue
    const family = event.members.toSorted((a, b) => b.weight - a.weight)[0].family
    if (changes.at(-1)?.family !== family) changes.push({ family, t: event.t })
  }
  return changes.map(({ family, t }) => `${family} ${(t / 1000).toFixed(1)}`).join(', ')
}

function independent(scorer, predictions, solution) {
  const { status, stdout, stderr } = spawnSync('python3', [scorer, predictions, solution], { encoding: 'utf8' })
  if (status === 0) return JSON.parse(stdout)
  console.error(`independent scorer skipped: ${stderr.trim().split('\n').at(-1)}`)
  return null
}
