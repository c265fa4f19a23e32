// Compiles src/ to dist/: one bundle per process entry, so that starting the CLI or a worker reads a handful of files
// instead of hundreds (start-up is part of the score). Packages stay external and are loaded where they are first used.
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: { cli: 'src/cli/main.ts', worker: 'src/search/worker/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  jsx: 'automatic',
  sourcemap: true,
  logLevel: 'warning',
})
