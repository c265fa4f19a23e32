// Runs the conformance suite on every executor and device of this machine and prints everything: counts, reasons of what was skipped,
// and the worst relative error of each operator (`npm run conformance`). Arguments are passed on: `npm run conformance -- tfjs`.
import { spawnSync } from 'node:child_process'

const [which = ''] = process.argv.slice(2)
const args = ['vitest', 'run', `test/conformance/${which}`, '--reporter=default']
const { status } = spawnSync('npx', args, { stdio: 'inherit', env: { ...process.env, CONFORMANCE: 'full' } })
process.exitCode = status ?? 1
