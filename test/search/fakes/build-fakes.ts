// The test-only families as a module that a worker can import: bundled once per content.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { ROOT } from '../../support/build-cli.ts'

/** @returns the module's file URL, for --family-modules */
export function fakeFamilies(file = 'families.ts'): string {
  const source = join(import.meta.dirname, file)
  const name = createHash('sha1').update(readFileSync(source)).digest('hex').slice(0, 12)
  const outfile = join(ROOT, '.tmp/test-fakes', `${name}.mjs`)
  if (!existsSync(outfile)) {
    buildSync({ entryPoints: [source], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' })
  }
  return pathToFileURL(outfile).href
}
