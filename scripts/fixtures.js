// Writes fixtures/ anew (`npm run fixtures [name...]`). Real data come from the packages that fixtures/scripts/fetch-sources.sh
// unpacks into .tmp/sources; synthetic ones need nothing.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

mkdirSync('.tmp', { recursive: true })
const outfile = resolve('.tmp/fixtures.mjs')
await build({
  entryPoints: [join('fixtures', 'scripts', 'main.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
})
await import(outfile)
