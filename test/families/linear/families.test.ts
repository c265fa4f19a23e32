// Every linear family on every shape of task that the extension point promises to bear.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { constantModel } from '../../../src/families/common/constant-model.ts'
import { classPriors, linkOf, targetsOf } from '../../../src/families/common/label-statistics.ts'
import type { TrialEvent } from '../../../src/families/family.ts'
import { linearFamilies } from '../../../src/families/linear/index.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

type Label = (i: number) => number[]

/** Examples whose brightness (or level) grows with their first class. */
function task(kind: MemoryTask['kind'], count: number, classCount: number, label: Label): MemoryTask {
  const rng = Rng.fromSeed(5)
  const bytes = kind === 'image' || kind === 'video'
  const examples: MemoryExample[] = Array.from({ length: count }, (_, i) => {
    const classes = label(i)
    const level = (classes[0] ?? -1) + 1
    const t = kind === 'audio' ? 600 : kind === 'series' ? 12 : kind === 'video' ? 3 : 1
    const [rows, cols] = bytes ? [12, 10] : [1, kind === 'audio' ? 1 : 5]
    const values = Array.from({ length: t * rows * cols }, (_, j) => {
      if (kind === 'audio') return Math.sin((j * (level + 1)) / 6) + 0.05 * rng.normal()
      const place = (j % cols) / cols
      const value = (0.15 + 0.2 * level) * (j % (level + 2) === 0 ? 1 : place) + 0.03 * rng.normal()
      return bytes ? Math.round(255 * Math.min(1, Math.max(0, value))) : value
    })
    return { shape: [t, rows, cols, 1], values, classes }
  })
  return { kind, classCount, bytes, varies: kind === 'audio' || kind === 'series', vocabulary: [], examples }
}

const candidates = (events: TrialEvent[]) => events.filter((event) => event.type === 'candidate')

function accuracy(scores: Float32Array, classes: number[][], k: number): number {
  const right = classes.filter((labels, i) => {
    const row = scores.subarray(i * k, i * k + k)
    return labels.includes(row.indexOf(Math.max(...row)))
  })
  return right.length / classes.length
}

const KINDS = ['image', 'video', 'audio', 'series', 'table'] as const
const CASES: [string, number, number, Label][] = [
  ['three classes', 48, 3, (i) => [i % 3]],
  ['several labels at once, some rows none', 48, 3, (i) => [[0], [0, 1], [], [2]][i % 4]],
  ['a class that never occurs', 32, 3, (i) => [i % 2]],
  ['only one class of two', 16, 2, () => [1]],
  ['a single column', 24, 1, (i) => (i % 2 ? [0] : [])],
  ['four examples', 4, 2, (i) => [i % 2]],
  ['a rare class', 40, 2, (i) => [i % 13 === 0 ? 1 : 0]],
]

for (const family of linearFamilies) {
  for (const kind of KINDS) {
    if (family.portfolio(profileOf(task(kind, 4, 2, (i) => [i % 2]))) === null) continue
    describe(`${family.name} on ${kind}`, () => {
      test.each(CASES)('bears %s', async (_title, count, k, label) => {
        const data = task(kind, count, k, label)
        const params = family.name === 'patches' ? { filters: 16 } : {}
        const { events, plan } = await runTrial(family, { engine, task: data, yields: 1e6, folds: 2, params })
        const last = candidates(events).at(-1)!
        expect(last.trainedOn).toBe('all')
        expect(last.validation).toHaveLength(plan.rows.length * k)
        const all = Int32Array.from(data.examples.keys())
        const scores = await runExported(engine, data, last.model, all)
        for (const value of [...scores, ...last.validation!]) expect(value >= 0 && value <= 1).toBe(true)
        if (!profileOf(data).multiLabel && k > 1 && count > 20) {
          for (let i = 0; i < count; i++)
            expect(scores.subarray(i * k, i * k + k).reduce((a, b) => a + b)).toBeCloseTo(1, 4)
        }
        const [alone] = [await runExported(engine, data, last.model, Int32Array.of(count - 1))]
        for (let c = 0; c < k; c++) expect(alone[c]).toBeCloseTo(scores[(count - 1) * k + c], 4)
      })

      test('learns classes that differ, and its out-of-fold scores show it', async () => {
        const data = task(kind, 60, 3, (i) => [i % 3])
        const { events, plan } = await runTrial(family, { engine, task: data, yields: 1e6, folds: 4 })
        const last = candidates(events).at(-1)!
        const classes = Array.from(plan.rows, (row) => data.examples[row].classes)
        expect(accuracy(last.validation!, classes, 3)).toBeGreaterThan(0.9)
      })
    })
  }
}

describe('the model of last resort', () => {
  test('gives every example the shrunk class frequencies', async () => {
    const data = task('table', 6, 2, (i) => [i < 2 ? 0 : 1])
    const labels = Float32Array.from(data.examples.flatMap(({ classes }) => [0, 1].map((k) => +classes.includes(k))))
    const targets = targetsOf(linkOf(profileOf(data), labels), labels, 2, Int32Array.of(0, 1, 2, 3, 4, 5))
    const model = constantModel(Float32Array.from(classPriors(targets)))
    const scores = await runExported(engine, data, model, Int32Array.of(3, 0))
    expect([...scores].map((v) => Math.round(v * 1e5) / 1e5)).toEqual(
      [2.5 / 7, 4.5 / 7, 2.5 / 7, 4.5 / 7].map((v) => Math.round(v * 1e5) / 1e5),
    )
  })
})

test('patches are offered for pictures of a dozen channels, not for those of hundreds', () => {
  const family = linearFamilies.find(({ name }) => name === 'patches')!
  const offers = (channels: number) => {
    const examples = [0, 1].map((k): MemoryExample => ({ shape: [1, 64, 64, channels], values: [], classes: [k] }))
    return family.portfolio(
      profileOf({ kind: 'image', classCount: 2, bytes: false, varies: false, vocabulary: [], examples }),
    )
  }
  expect(offers(13)).not.toBeNull()
  expect(offers(200)).toBeNull()
})

describe('patches of both sides', () => {
  const family = linearFamilies.find(({ name }) => name === 'patches')!
  const data = task('image', 60, 3, (i) => [i % 3])
  /** The same pictures, the last axis of pixels turned. */
  const turned: MemoryTask = {
    ...data,
    examples: data.examples.map((example) => {
      const [, , cols] = example.shape
      return { ...example, values: example.values.map((_, j, all) => all[j - (j % cols) + cols - 1 - (j % cols)]) }
    }),
  }

  test('give a picture and its mirror image the same scores', async () => {
    // Half of the pictures are turned, or the mirror would not be fair.
    const mixed = { ...data, examples: data.examples.map((example, i) => (i % 2 ? example : turned.examples[i])) }
    const { events } = await runTrial(family, {
      engine,
      task: mixed,
      yields: 1e6,
      folds: 2,
      params: { filters: 16, mirror: true },
    })
    const { model } = candidates(events).at(-1)!
    const all = Int32Array.from(data.examples.keys())
    const [straight, mirrored] = [
      await runExported(engine, data, model, all),
      await runExported(engine, turned, model, all),
    ]
    for (let i = 0; i < straight.length; i++) expect(mirrored[i]).toBeCloseTo(straight[i], 4)
  })

  test('are not offered where the mirror changes the class', async () => {
    // Bright on the left is one class, bright on the right the other.
    const sided: MemoryTask = {
      ...data,
      classCount: 2,
      examples: data.examples.map((example, i) => ({
        ...example,
        values: example.values.map((_, j) => (j % 10 < 5 === (i % 2 === 0) ? 200 : 20) + ((i * 7 + j) % 13)),
        classes: [i % 2],
      })),
    }
    const { events } = await runTrial(family, {
      engine,
      task: sided,
      yields: 1e6,
      params: { filters: 16, mirror: true },
    })
    expect(candidates(events)).toEqual([])
  })
})

describe('a classical trial', () => {
  const [linear] = linearFamilies
  const data = task('table', 60, 3, (i) => [i % 3])

  test('gives a sample model first, then a judged one, then one of all rows', async () => {
    const { events } = await runTrial(linear, { engine, task: data, yields: 1e6 })
    const order = candidates(events).map(({ trainedOn, validation }) => `${trainedOn}:${validation !== null}`)
    expect(order).toEqual(['sample:false', 'train:true', 'all:true'])
  })

  test('resumed after the first fold gives the scores of an uninterrupted one', async () => {
    const whole = await runTrial(linear, { engine, task: data, yields: 1e6, folds: 4 })
    const foldsDone = (event: TrialEvent) => event.type === 'progress' && event.note === 'folds'
    const stop = whole.events.findIndex(foldsDone) + 1
    const part = await runTrial(linear, { engine, task: data, yields: stop, folds: 4 })
    expect(part.state.facts.foldsDone).toBe(1)
    const rest = await runTrial(linear, { engine, task: data, yields: 1e6, folds: 4, resumed: part.state })
    const scores = (run: typeof whole) => [...candidates(run.events).at(-1)!.validation!]
    expect(scores(rest)).toEqual(scores(whole))
    expect(rest.events.length).toBeLessThan(whole.events.length)
    const ended = await runTrial(linear, { engine, task: data, yields: 1e6, folds: 4, resumed: rest.state })
    expect(ended.events).toEqual([])
  })

  test('the same seed gives the same scores', async () => {
    const runs = [
      await runTrial(linear, { engine, task: data, yields: 1e6 }),
      await runTrial(linear, { engine, task: data, yields: 1e6 }),
    ]
    const [a, b] = runs.map(({ events }) => [...candidates(events).at(-1)!.validation!])
    expect(a).toEqual(b)
  })
})
