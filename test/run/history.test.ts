// What a resumed session finds in the journal.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, runFolder } from '../../src/run/folder.ts'
import { readHistory } from '../../src/run/history.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = runFolder(join(temporaryFolder(), 'run'))
createFolder(folder)

/** A trial whose last slice said how much there is to do in all (null: no end of its own), and how it ended. */
const ended = (trial: string, of: number | null, status: string) => [
  { type: 'trial', trial, family: 'any', params: {}, tuner: 'portfolio', v: 1, t: 10 },
  { type: 'slice', trial, worker: 0, startMs: 10, ms: 50, units: 5, of, note: '', v: 1, t: 60 },
  { type: 'trial-end', trial, status, v: 1, t: 61 },
]
const entries = [
  ...ended('network', null, 'finished'),
  ...ended('forest', 200, 'finished'),
  ...ended('broken', null, 'failed'),
  ...ended('dropped', null, 'stopped'),
]
writeFileSync(folder.journal, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))

const statuses = (counted: boolean) =>
  Object.fromEntries(readHistory(folder, counted).trials.map(({ id, status }) => [id, status]))

describe('a finished trial', () => {
  it('goes on in a later session when it has no end of its own', () => {
    expect(statuses(false)).toEqual({ network: 'paused', forest: 'finished', broken: 'failed', dropped: 'stopped' })
  })

  it('stays finished where slices are counted, so that the count stays the same', () => {
    expect(statuses(true).network).toBe('finished')
  })
})
