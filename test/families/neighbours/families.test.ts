// Nearest neighbours on every shape of task that the extension point promises to bear.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { TrialEvent } from '../../../src/families/family.ts'
import { neighbours } from '../../../src/families/neighbours/neighbours.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

type Label = (i: number) => number[]

/** Rows near one of several places; the place belongs to the class. */
function task(kind: 'table' | 'series', count: number, classCount: number, label: Label): MemoryTask {
  const rng = Rng.fromSeed(5)
  const examples: MemoryExample[] = Array.from({ length: count }, (_, i) => {
    const classes = label(i)
    const level = (classes[0] ?? -1) + 1
    const t = kind === 'series' ? 10 + (i % 3) : 1
    const values = Array.from({ length: t * 5 }, (_, j) => Math.cos(2 * level + (j % 5)) + 0.05 * rng.normal())
    return { shape: [t, 1, 5, 1], values, classes }
  })
  return { kind, classCount, bytes: false, varies: kind === 'series', vocabulary: [], examples }
}

const candidates = (events: TrialEvent[]) => events.filter((event) => event.type === 'candidate')

const CASES: [string, number, number, Label][] = [
  ['three classes', 48, 3, (i) => [i % 3]],
  ['several labels at once, some rows none', 48, 3, (i) => [[0], [0, 1], [], [2]][i % 4]],
  ['a class that never occurs', 32, 3, (i) => [i % 2]],
  ['only one class of two', 16, 2, () => [1]],
  ['a single column', 24, 1, (i) => (i % 2 ? [0] : [])],
  ['four examples', 4, 2, (i) => [i % 2]],
  ['two examples', 2, 2, (i) => [i % 2]],
  ['a rare class', 40, 2, (i) => [i % 13 === 0 ? 1 : 0]],
]

describe.each(['table', 'series'] as const)('neighbours on %s', (kind) => {
  test.each(CASES)('bears %s', async (_title, count, k, label) => {
    const data = task(kind, count, k, label)
    for (const { params } of neighbours.portfolio(profileOf(data))!) {
      const { events, plan } = await runTrial(neighbours, { engine, task: data, yields: 1e6, folds: 2, params })
      const last = candidates(events).at(-1)!
      expect(last.trainedOn).toBe('all')
      expect(last.validation).toHaveLength(plan.rows.length * k)
      const scores = await runExported(engine, data, last.model, Int32Array.from(data.examples.keys()))
      for (const value of [...scores, ...last.validation!]) expect(value >= 0 && value <= 1).toBe(true)
      const alone = await runExported(engine, data, last.model, Int32Array.of(count - 1))
      for (let c = 0; c < k; c++) expect(alone[c]).toBeCloseTo(scores[(count - 1) * k + c], 4)
    }
  })

  test('learns classes that differ, and its out-of-fold scores show it', async () => {
    const data = task(kind, 60, 3, (i) => [i % 3])
    const { events, plan } = await runTrial(neighbours, { engine, task: data, yields: 1e6, folds: 4 })
    const { validation } = candidates(events).at(-1)!
    const right = [...plan.rows].filter((row, i) => {
      const scores = validation!.subarray(3 * i, 3 * i + 3)
      return scores.indexOf(Math.max(...scores)) === data.examples[row].classes[0]
    })
    expect(right.length).toBeGreaterThan(54)
  })
})

test('resumed after the first fold gives the scores of an uninterrupted trial', async () => {
  const data = task('table', 60, 3, (i) => [i % 3])
  const whole = await runTrial(neighbours, { engine, task: data, yields: 1e6, folds: 4 })
  const stop = whole.events.findIndex((event) => event.type === 'progress' && event.note === 'folds') + 1
  const part = await runTrial(neighbours, { engine, task: data, yields: stop, folds: 4 })
  expect(part.state.facts.foldsDone).toBe(1)
  const rest = await runTrial(neighbours, { engine, task: data, yields: 1e6, folds: 4, resumed: part.state })
  const scores = (run: typeof whole) => [...candidates(run.events).at(-1)!.validation!]
  expect(scores(rest)).toEqual(scores(whole))
})

test('many rows are left to other families', () => {
  const profile = profileOf(task('table', 4, 2, (i) => [i % 2]))
  expect(neighbours.portfolio({ ...profile, trainCount: 1e6 })).toBeNull()
})
