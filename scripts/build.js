// Compiles src/ to dist/: one bundle per process entry, so that starting the CLI or a worker reads a handful of files
// instead of hundreds (start-up is part of the score). Packages written in JavaScript are bundled too: apache-arrow loads in 18 ms
// instead of 97, ink with React in 170 ms of processor time instead of 500. Packages with native parts stay where npm put them.
// The new dist/ takes the old one's place at the end, by rename, so that a process that starts meanwhile finds all or nothing new.
// usage: node scripts/build.js [folder, dist by default]
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const BUNDLED = new Set(['apache-arrow', 'commander', 'ink', 'p-limit', 'react', 'valibot'])
const external = Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !BUNDLED.has(name))

const target = process.argv[2] ?? 'dist'
const outdir = `${target}.part-${process.pid}`
const result = await build({
  entryPoints: {
    cli: 'src/cli/main.ts',
    worker: 'src/search/worker/main.ts',
    probe: 'src/engine/devices/probe-entry.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  external: [...external, 'onnxruntime-common', '@tensorflow/*'],
  // React's development build is slow, and ink's developer tools are not installed.
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: { 'react-devtools-core': './scripts/no-devtools.js' },
  // Bundled CommonJS packages ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  platform: 'node',
  target: 'node20',
  format: 'esm',
  jsx: 'automatic',
  sourcemap: true,
  logLevel: 'warning',
}).catch(() => null)
// What is wrong has been printed.
if (result === null) process.exit(1)
rmSync(target, { recursive: true, force: true })
renameSync(outdir, target)
