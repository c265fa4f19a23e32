// MiniRocket on every shape of task: series along steps and along rows, of equal and of unequal length.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { TrialEvent } from '../../../src/families/family.ts'
import { rocket } from '../../../src/families/series/rocket-family.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

type Label = (i: number) => number[]
type Form = 'steps' | 'unequal' | 'rows'

/** Waves whose period tells the class; unequal ones have from 1 to 40 steps. */
function waves(form: Form, count: number, classCount: number, label: Label): MemoryTask {
  const rng = Rng.fromSeed(3)
  const examples: MemoryExample[] = Array.from({ length: count }, (_, i) => {
    const classes = label(i)
    const steps = form === 'unequal' ? (i === 3 ? 1 : 20 + rng.below(21)) : 32
    const channels = form === 'rows' ? 1 : 3
    const phase = rng.uniform() * 6
    const periods = 2 + 3 * ((classes[0] ?? -1) + 1)
    const values = Array.from({ length: steps * channels }, (_, j) => {
      const t = Math.floor(j / channels) / Math.max(1, steps)
      return Math.sin(2 * Math.PI * periods * t + phase + (j % channels)) + 0.1 * rng.normal()
    })
    return { shape: form === 'rows' ? [1, steps, 1, 1] : [steps, 1, channels, 1], values, classes }
  })
  return { kind: 'series', classCount, bytes: false, varies: form === 'unequal', vocabulary: [], examples }
}

const candidates = (events: TrialEvent[]) => events.filter((event) => event.type === 'candidate')
/** Small, so that tests are quick; test rows of the memory task are its first ten. */
const PARAMS = { size: 'quick', scale: 'set', differences: false }

const CASES: [string, Form, number, number, Label][] = [
  ['three classes of multichannel series', 'steps', 30, 3, (i) => [i % 3]],
  ['a matrix whose rows are the series', 'rows', 30, 2, (i) => [i % 2]],
  ['unequal lengths, one of them 1', 'unequal', 30, 3, (i) => [i % 3]],
  ['several labels at once, some rows none', 'steps', 32, 3, (i) => [[0], [0, 1], [], [2]][i % 4]],
  ['a class that never occurs', 'rows', 24, 3, (i) => [i % 2]],
  ['only one class of two', 'steps', 12, 2, () => [1]],
  ['a single column', 'rows', 24, 1, (i) => (i % 2 ? [0] : [])],
]

describe('minirocket', () => {
  test.each(CASES)('exports what it learned: %s', async (_title, form, count, k, label) => {
    const data = waves(form, count, k, label)
    const { events, plan } = await runTrial(rocket, { engine, task: data, yields: 1e6, params: PARAMS })
    const judged = candidates(events).find(({ trainedOn }) => trainedOn === 'train')!
    const exported = await runExported(engine, data, judged.model, plan.rows)
    for (let at = 0; at < exported.length; at++) expect(judged.validation![at]).toBeCloseTo(exported[at], 3)
    const last = candidates(events).at(-1)!
    const all = Int32Array.from(data.examples.keys())
    const scores = await runExported(engine, data, last.model, all)
    for (const value of scores) expect(value >= 0 && value <= 1).toBe(true)
    const alone = await runExported(engine, data, last.model, Int32Array.of(count - 1))
    for (let c = 0; c < k; c++) expect(alone[c]).toBeCloseTo(scores[(count - 1) * k + c], 3)
  })

  test('bears a single labelled example', async () => {
    const data = waves('steps', 1, 2, () => [1])
    data.examples.push(...Array.from({ length: 9 }, () => ({ ...data.examples[0], classes: [] })))
    const { events } = await runTrial(rocket, { engine, task: data, yields: 1e6, params: PARAMS, folds: 2 })
    for (const value of candidates(events).at(-1)!.validation!) expect(Number.isFinite(value)).toBe(true)
  })

  test.each([
    ['set', false],
    ['example', true],
  ])('tells periods apart out of fold, scaled by %s, differences: %s', async (scale, differences) => {
    const data = waves('unequal', 48, 3, (i) => [i % 3])
    const params = { size: 'quick', scale, differences }
    const { events, plan } = await runTrial(rocket, { engine, task: data, yields: 1e6, folds: 4, params })
    const { validation } = candidates(events).at(-1)!
    const right = [...plan.rows].filter((row, i) => {
      const scores = validation!.subarray(3 * i, 3 * i + 3)
      return scores.indexOf(Math.max(...scores)) === row % 3
    })
    expect(right.length / plan.rows.length).toBeGreaterThan(0.9)
  })

  test('the same seed gives the same scores', async () => {
    const data = waves('rows', 24, 2, (i) => [i % 2])
    const run = async () =>
      candidates((await runTrial(rocket, { engine, task: data, yields: 1e6, params: PARAMS })).events).at(-1)!
    expect([...(await run()).validation!]).toEqual([...(await run()).validation!])
  })

  test('is for series only', () => {
    expect(rocket.portfolio({ ...profileOf(waves('steps', 4, 2, (i) => [i % 2])), kind: 'table' })).toBeNull()
  })
})
