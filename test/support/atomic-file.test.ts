import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFileAtomic } from '../../src/support/atomic-file.ts'
import { temporaryFolder } from './temporary-folder.ts'

test('a file that cannot be put in its place leaves nothing behind', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'taken', 'by a folder'), { recursive: true })
  expect(() => writeFileAtomic(join(folder, 'taken'), 'text')).toThrow(/cannot write/)
  expect(readdirSync(folder)).toEqual(['taken'])
})
