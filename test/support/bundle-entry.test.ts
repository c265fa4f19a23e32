import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { bundleEntry } from '../../src/support/bundle-entry.ts'

it.each([
  ['beside an entry', '/opt/automl/dist/cli.js', '/opt/automl/dist/worker.js'],
  ['above a chunk', '/opt/automl/dist/chunks/session-AB.js', '/opt/automl/dist/worker.js'],
  [
    'beside an entry below a folder called chunks',
    '/opt/chunks/automl/dist/cli.js',
    '/opt/chunks/automl/dist/worker.js',
  ],
  ['above a chunk below one', '/opt/chunks/automl/dist/chunks/a.js', '/opt/chunks/automl/dist/worker.js'],
  ['under names that URLs must escape', '/a b/ü#%/dist/cli.js', '/a b/ü#%/dist/worker.js'],
])('a program lies %s', (_, asker, found) => {
  expect(bundleEntry('worker.js', pathToFileURL(asker).href)).toBe(found)
})
