// What becomes of a trial whose snapshot fails.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Family } from '../../src/families/family.ts'
import { createTrialRunner, type TrialBase } from '../../src/search/worker/trial-runner.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const endless: Family = {
  name: 'endless',
  summary: 'for tests: goes on for ever, its state is one number',
  portfolio: () => [],
  space: () => ({}),
  async *train(trial) {
    let units = 0
    trial.saveState(() => ({ facts: { units }, arrays: {} }))
    for (;;) yield { type: 'progress', units: ++units, of: null, note: '' }
  },
}

describe('a snapshot that cannot be written', () => {
  it('is told of, and the trial goes on', async () => {
    const out = temporaryFolder()
    // A file where the folder of the states should be.
    writeFileSync(join(out, 'trials'), '')
    const unsaved: unknown[] = []
    const runner = createTrialRunner({
      base: {} as TrialBase,
      out,
      seed: 1,
      familyOf: () => endless,
      elapsedMs: () => 0,
      reserveMs: () => 0,
      onProgress: () => {},
      onUnsaved: (error) => unsaved.push(error),
      onCandidate: async () => {},
    })
    const limit = { kind: 'steps', steps: 2, left: 100 } as const
    const slice = { trial: 't0000', family: 'endless', params: {}, limit, snapshot: true }
    expect(await runner.run(slice)).toMatchObject({ status: 'paused', units: 2 })
    expect(await runner.run(slice)).toMatchObject({ status: 'paused', units: 4 })
    expect(unsaved).toMatchObject([{ code: 'OUTPUT_WRITE' }, { code: 'OUTPUT_WRITE' }])
  })
})
