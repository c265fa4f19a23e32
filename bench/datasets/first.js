// Time of the first prediction, seconds from process start: the real CLI, RUNS times on every dataset of a folder.
//   node bench/datasets/first.js DATA_FOLDER [--runs 5] [--only a,b]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, only: { type: 'string' } },
})
const folder = resolve(positionals[0] ?? '.')
const automl = fileURLToPath(new URL('../../bin/automl.js', import.meta.url))
const only = values.only?.split(',')
const scratch = mkdtempSync(join(tmpdir(), 'automl-first-'))

console.log('| dataset | median s | all |\n|---|---|---|')
for (const entry of readdirSync(folder, { withFileTypes: true })) {
  if (!entry.isDirectory() || (only !== undefined && !only.includes(entry.name))) continue
  const times = Array.from({ length: Number(values.runs) }, () => firstS(join(folder, entry.name)))
  const sorted = times.toSorted((a, b) => a - b)
  console.log(
    `| ${entry.name} | ${sorted[sorted.length >> 1].toFixed(2)} | ${times.map((t) => t.toFixed(2)).join(' ')} |`,
  )
}
rmSync(scratch, { recursive: true, force: true })

function firstS(data) {
  const out = join(scratch, 'run')
  rmSync(out, { recursive: true, force: true })
  spawnSync(process.execPath, [automl, 'fit', data, '--budget', '2500ms', '--ui', 'none', '--out', out])
  const start = readFileSync(join(out, 'predictions', 'start.txt'), 'utf8')
  return Number(/^0: ([\d.]+)/m.exec(start)?.[1]) - Number(/start_time: ([\d.]+)/.exec(start)?.[1])
}
