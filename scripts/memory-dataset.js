// Writes the datasets of the memory measurements (100,000 train and 2,000 test examples of 10,000 features, two classes), dense and sparse:
//   node scripts/memory-dataset.js DIR [dense|sparse] [train count]
// The dense one takes 4 GB on disk. Records are written as they are made: memory stays small.
// A class shifts 50 of the features, so that there is something to learn. The same call gives the same files.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

mkdirSync('.tmp', { recursive: true })
const outfile = resolve('.tmp/memory-dataset.mjs')
await build({
  entryPoints: [join('fixtures', 'scripts', 'memory-dataset.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
})
await import(outfile)
