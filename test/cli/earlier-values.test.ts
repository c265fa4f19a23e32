// What a resumed run goes on with, from run folders as sessions leave them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { earlierValues } from '../../src/cli/earlier-values.ts'
import { FIT_DEFAULTS, type FitOptions } from '../../src/run/options.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = temporaryFolder()
let count = 0

function run(options: Partial<FitOptions>, budgets: readonly number[] = [], more: object = {}): string {
  const out = join(root, `run-${count++}`)
  mkdirSync(out)
  const all = { ...FIT_DEFAULTS, data: 'd', out, ...options }
  const facts = { seed: all.seed, budgetMs: all.budgetMs, options: all, engine: 'onnx', device: 'cpu', ...more }
  writeFileSync(join(out, 'run.json'), JSON.stringify(facts))
  const sessions = budgets.map((budgetMs) => ({ type: 'session', v: 1, t: 0, pid: 1, budgetMs, startUnixMs: 0 }))
  const entries = sessions.flatMap((session) => [session, { type: 'warning', message: 'w', v: 1, t: 1 }])
  writeFileSync(join(out, 'journal.jsonl'), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  return out
}

describe('a resumed run goes on with', () => {
  it('nothing where there is no run', () => {
    expect(earlierValues(join(root, 'none'))).toEqual({})
  })

  it('the budget of its last session', () => {
    expect(earlierValues(run({ budgetMs: 3000 }, [3000, 9000, 7000])).budget).toBe(7000)
  })

  it('its first budget where no session could say a word', () => {
    expect(earlierValues(run({ budgetMs: 3000 })).budget).toBe(3000)
  })

  it('every option that it was given, by the names of the command line', () => {
    const given: Partial<FitOptions> = {
      engine: 'tfjs',
      device: 'cpu',
      workers: 2,
      threads: 3,
      memoryBytes: 4e9,
      search: 'random',
      families: ['linear', 'trees'],
      sliceSteps: 5,
      maxSlices: 6,
      familyModules: ['file:///m.mjs'],
    }
    expect(earlierValues(run({ ...given, seed: 7 }))).toEqual({
      budget: FIT_DEFAULTS.budgetMs,
      seed: 7,
      engine: 'tfjs',
      device: 'cpu',
      workers: 2,
      threads: 3,
      memory: 4e9,
      search: 'random',
      families: ['linear', 'trees'],
      'slice-steps': 5,
      'max-slices': 6,
      'family-modules': ['file:///m.mjs'],
    })
  })

  it('the defaults where it was given nothing', () => {
    const values = earlierValues(run({}))
    for (const name of ['workers', 'threads', 'memory', 'families', 'slice-steps', 'max-slices']) {
      expect(values).not.toHaveProperty(name)
    }
    expect(values).toMatchObject({ engine: 'auto', device: 'auto', search: 'auto' })
  })

  it('the defaults where run.json is of a version that knew no such option', () => {
    expect(earlierValues(run({}, [], { options: {} }))).toEqual({ budget: FIT_DEFAULTS.budgetMs, seed: 0 })
  })

  it('the device that it fell back to', () => {
    const fallback = { from: { engine: 'onnx', device: 'webgpu' }, reason: 'crashed' }
    expect(earlierValues(run({ device: 'webgpu' }, [], { fallback }))).toMatchObject({ engine: 'onnx', device: 'cpu' })
  })
})
