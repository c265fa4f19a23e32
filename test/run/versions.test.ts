import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { usedPackages } from '../../src/run/versions.ts'
import { ROOT } from '../support/build-cli.ts'

test('run.json states the version of each package that decides about numbers', () => {
  // Dependencies are pinned.
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const used = usedPackages()
  expect(Object.keys(used).length).toBeGreaterThan(0)
  for (const [name, version] of Object.entries(used)) expect([name, version]).toEqual([name, dependencies[name]])
})
