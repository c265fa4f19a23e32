// Text learners: the exported graph of lookups gives what training computed from sparse rows, on every shape of task.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { Family, TrialEvent } from '../../../src/families/family.ts'
import { ngrams } from '../../../src/families/text/ngrams-family.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const VOCABULARY = [
  ...['the', 'The', 'a', 'is', 'was', 'not', 'not!', 'very', "don't", '?'],
  ...['red', 'Red', 'reddish', 'blue', 'bluish', 'green', 'greenish', 'green/blue', '好', '天气'],
]
type Label = (i: number) => number[]

/** Class k likes words 10 + 3 k ..; some texts are empty, one is long, some ids are unknown. */
function sentences(count: number, classCount: number, label: Label): MemoryTask {
  const rng = Rng.fromSeed(4)
  const examples: MemoryExample[] = Array.from({ length: count }, (_, i) => {
    const classes = label(i)
    const length = i === 5 ? 0 : i === 7 ? 60 : 1 + rng.below(9)
    const values = Array.from({ length }, () => {
      if (rng.uniform() < 0.05) return VOCABULARY.length + 3
      return classes.length > 0 && rng.uniform() < 0.6
        ? 10 + ((3 * classes[rng.below(classes.length)] + rng.below(3)) % 10)
        : rng.below(VOCABULARY.length)
    })
    return { shape: [length, 1, 1, 1], values, classes }
  })
  return { kind: 'text', classCount, bytes: false, varies: true, vocabulary: VOCABULARY, examples }
}

const candidates = (events: TrialEvent[]) => events.filter((event) => event.type === 'candidate')

const CASES: [string, number, number, Label][] = [
  ['three classes', 60, 3, (i) => [i % 3]],
  ['two classes through one output', 40, 2, (i) => [i % 2]],
  ['several labels at once, some rows none', 60, 3, (i) => [[0], [0, 1], [], [2]][i % 4]],
  ['a class that never occurs', 32, 3, (i) => [i % 2]],
  ['only one class of two', 16, 2, () => [1]],
  ['a single column', 24, 1, (i) => (i % 2 ? [0] : [])],
  ['one example', 1, 2, () => [1]],
]
const VARIANTS = [
  { weighting: 'hinge', subwords: 0, skips: false, triples: false },
  { weighting: 'logistic', subwords: 1.5, skips: true, triples: true },
  { weighting: 'bayes', subwords: 0.6, skips: false, triples: true },
]

for (const params of VARIANTS) {
  const family: Family = { ...ngrams, portfolio: () => [{ params, order: 0 }] }
  describe(`ngrams, ${params.weighting}`, () => {
    test.each(CASES)('exports what it learned: %s', async (_title, count, k, label) => {
      const data = sentences(count, k, label)
      const { events, plan } = await runTrial(family, { engine, task: data, yields: 1e6 })
      const judged = candidates(events).find(({ trainedOn }) => trainedOn === 'train')!
      if (plan.rows.length > 0) {
        const exported = await runExported(engine, data, judged.model, plan.rows)
        for (let at = 0; at < exported.length; at++) expect(judged.validation![at]).toBeCloseTo(exported[at], 4)
      }
      const last = candidates(events).at(-1)!
      const all = Int32Array.from(data.examples.keys())
      const scores = await runExported(engine, data, last.model, all)
      for (const value of scores) expect(value >= 0 && value <= 1).toBe(true)
      if (!profileOf(data).multiLabel && k > 1) {
        for (let i = 0; i < count; i++) {
          expect(scores.subarray(i * k, i * k + k).reduce((a, b) => a + b)).toBeCloseTo(1, 4)
        }
      }
      // Alone, a text has no padding from its neighbours.
      const alone = await runExported(engine, data, last.model, Int32Array.of(count - 1))
      for (let c = 0; c < k; c++) expect(alone[c]).toBeCloseTo(scores[(count - 1) * k + c], 5)
    })
  })
}

describe('ngrams', () => {
  test('give a first model from the sample, a judged one and one of all rows', async () => {
    const data = sentences(60, 3, (i) => [i % 3])
    const { events } = await runTrial(ngrams, { engine, task: data, yields: 1e6 })
    const order = candidates(events).map(({ trainedOn, validation }) => `${trainedOn}:${validation !== null}`)
    expect(order).toEqual(['sample:false', 'train:true', 'all:true'])
  })

  test('learn from words, and from the insides of words that training never saw', async () => {
    const words = ['walking', 'talking', 'stalking', 'walked', 'talked', 'stalked', 'chalking', 'chalked']
    const examples: MemoryExample[] = Array.from({ length: 48 }, (_, i) => {
      // Rows 0, 4, 8, … validate: only they hold the last two words.
      const kind = i % 2
      const token = i % 4 < 2 && i % 4 === 0 ? 6 : 3 * kind + (i % 3)
      return { shape: [1, 1, 1, 1], values: [token], classes: [token === 6 ? 0 : kind] }
    })
    const data: MemoryTask = { kind: 'text', classCount: 2, bytes: false, varies: true, vocabulary: words, examples }
    const params = { weighting: 'hinge', subwords: 1, skips: false, triples: false }
    const { events } = await runTrial(ngrams, { engine, task: data, yields: 1e6, params })
    const { validation } = candidates(events).find(({ trainedOn }) => trainedOn === 'train')!
    for (let i = 0; i < validation!.length; i += 2) expect(validation![i]).toBeGreaterThan(0.6)
  })

  test('the same seed gives the same scores', async () => {
    const data = sentences(60, 3, (i) => [i % 3])
    const run = async () => candidates((await runTrial(ngrams, { engine, task: data, yields: 1e6 })).events).at(-1)!
    expect([...(await run()).validation!]).toEqual([...(await run()).validation!])
  })

  test('are for token ids only', () => {
    expect(ngrams.portfolio({ ...profileOf(sentences(4, 2, (i) => [i % 2])), kind: 'table' })).toBeNull()
  })
})
