// The layers of src/: a folder may import from itself and from those below it, never from above. Dataset, graph and metrics do not
// know each other, nor do dataset and engine. Process entries are reached by messages only.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

/** What each folder may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  cli: ['ui', 'run', 'search', 'families', 'dataset', 'engine', 'graph', 'metrics', 'support'],
  ui: ['run', 'search', 'families', 'dataset', 'engine', 'graph', 'metrics', 'support'],
  run: ['search', 'families', 'dataset', 'engine', 'graph', 'metrics', 'support'],
  search: ['families', 'dataset', 'engine', 'graph', 'metrics', 'support'],
  families: ['dataset', 'engine', 'graph', 'metrics', 'support'],
  dataset: ['support'],
  engine: ['graph', 'support'],
  graph: ['support'],
  metrics: ['support'],
  support: [],
}

interface Import {
  from: string
  to: string
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => join(folder, file))
}

/** Static imports, re-exports, dynamic imports and type imports of project files. */
export function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+)['"](\.{1,2}\/[^'"]+)['"]/g)
  return [...found].map(([, path]) => ({ from: relative(SRC, file), to: relative(SRC, join(dirname(file), path)) }))
}

const imports = sources(SRC).flatMap((file) => importsOf(file, readFileSync(file, 'utf8')))
const layerOf = (path: string) => path.split('/')[0]

describe('imports', () => {
  it('are found, whatever their form', () => {
    const text = `import { a } from './a.ts'\nexport type { B } from '../run/b.ts'\nconst c = await import('../ui/c.ts')\nimport './d.ts'`
    const found = importsOf(join(SRC, 'cli/x.ts'), text).map((entry) => entry.to)
    expect(found).toEqual(['cli/a.ts', 'run/b.ts', 'ui/c.ts', 'cli/d.ts'])
    expect(imports.length).toBeGreaterThan(100)
  })

  it('stay inside src/', () => {
    expect(imports.filter(({ to }) => to.startsWith('..'))).toEqual([])
  })

  it.each(Object.keys(MAY_IMPORT))('of %s go downward only', (layer) => {
    const upward = imports
      .filter(({ from, to }) => layerOf(from) === layer && layerOf(to) !== layer)
      .filter(({ to }) => !MAY_IMPORT[layer].includes(layerOf(to)))
    expect(upward).toEqual([])
  })

  it('name every folder of src/', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((entry) => entry.name).filter((name) => !(name in MAY_IMPORT))).toEqual([])
  })

  it('never reach into the worker’s entry: a process is started, not imported', () => {
    expect(imports.filter(({ to }) => to === 'search/worker/main.ts')).toEqual([])
  })
})
