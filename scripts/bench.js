// Compiles one benchmark (bench/NAME/NAME.ts) and runs it with the arguments that follow: node scripts/bench.js engine --json
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

const [name, ...args] = process.argv.slice(2)
const outfile = `.tmp/bench-${name}.mjs`
await build({
  entryPoints: [`bench/${name}/${name}.ts`],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
})
process.exitCode = spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit' }).status ?? 1
