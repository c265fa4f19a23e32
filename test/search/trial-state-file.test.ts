import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTrialState, statePath, writeTrialState } from '../../src/search/trial-state-file.ts'
import { Rng } from '../../src/support/rng.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const saved = {
  state: {
    facts: { pass: 3, choices: { c: 0.5 }, nothing: null },
    arrays: { w: Float32Array.of(1.5, -2, 3), order: Int32Array.of(2, 0, 1), empty: new Float32Array(0) },
  },
  rng: Rng.fromSeed(9).state(),
}

describe('trial state', () => {
  it('comes back as it was saved, the random stream included', () => {
    const path = statePath(folder, 't0001')
    writeTrialState(path, saved)
    expect(readTrialState(path)).toEqual(saved)
    expect(new Rng(readTrialState(path)!.rng).uint32()).toBe(Rng.fromSeed(9).uint32())
  })

  it('counts as absent when it is torn anywhere', () => {
    const path = statePath(folder, 't0002')
    writeTrialState(path, saved)
    const whole = readFileSync(path)
    const torn = join(folder, 'torn.bin')
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(torn, whole.subarray(0, length))
      expect(readTrialState(torn)).toBeNull()
    }
    expect(readTrialState(join(folder, 'none.bin'))).toBeNull()
  })
})
