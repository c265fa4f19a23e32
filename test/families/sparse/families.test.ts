// Sparse tables: the exported dense model gives what training computed from stored values, on every shape of task.
import { afterAll, describe, expect, test } from 'vitest'
import type { MatrixBatch } from '../../../src/dataset/batch.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { Family, TrialEvent } from '../../../src/families/family.ts'
import { marginScores, marginScoresGraph } from '../../../src/families/sparse/margin-scores.ts'
import { sparseLinear } from '../../../src/families/sparse/sparse-linear.ts'
import { tableRows } from '../../../src/families/sparse/table-rows.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryExample, type MemoryTask, profileOf, runExported, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const WIDTH = 40
type Label = (i: number) => number[]

/** Counts of 40 words; each class has words of its own. */
function bags(count: number, classCount: number, label: Label): MemoryTask {
  const rng = Rng.fromSeed(2)
  const examples: MemoryExample[] = Array.from({ length: count }, (_, i) => {
    const classes = label(i)
    const values = Array.from({ length: WIDTH }, (_, f) => {
      const own = classes.some((k) => f % classCount === k && f < 3 * classCount)
      return rng.uniform() < (own ? 0.7 : 0.1) ? 1 + rng.below(3) : 0
    })
    return { shape: [1, 1, WIDTH, 1], values, classes }
  })
  return { kind: 'table', classCount, bytes: false, varies: false, vocabulary: [], examples }
}

function withParams(params: Record<string, string>): Family {
  return { ...sparseLinear, portfolio: () => [{ params, order: 0 }] }
}

const candidates = (events: TrialEvent[]) => events.filter((event) => event.type === 'candidate')

const CASES: [string, number, number, Label][] = [
  ['three classes', 48, 3, (i) => [i % 3]],
  ['two classes through one output', 30, 2, (i) => [i % 2]],
  ['several labels at once, some rows none', 48, 3, (i) => [[0], [0, 1], [], [2]][i % 4]],
  ['a class that never occurs', 32, 3, (i) => [i % 2]],
  ['only one class of two', 16, 2, () => [1]],
  ['a single column', 24, 1, (i) => (i % 2 ? [0] : [])],
  ['one example', 1, 2, () => [1]],
]

for (const form of ['counts', 'presence', 'values']) {
  for (const weighting of ['hinge', 'bayes']) {
    describe(`sparse-linear, ${weighting} on ${form}`, () => {
      test.each(CASES)('exports what it learned: %s', async (_title, count, k, label) => {
        const data = bags(count, k, label)
        const { events, plan } = await runTrial(withParams({ weighting, form }), { engine, task: data, yields: 1e6 })
        const judged = candidates(events).find(({ trainedOn }) => trainedOn === 'train')!
        if (plan.rows.length > 0) {
          const exported = await runExported(engine, data, judged.model, plan.rows)
          for (let at = 0; at < exported.length; at++) expect(judged.validation![at]).toBeCloseTo(exported[at], 4)
        }
        const last = candidates(events).at(-1)!
        const all = Int32Array.from(data.examples.keys())
        const scores = await runExported(engine, data, last.model, all)
        for (const value of scores) expect(value >= 0 && value <= 1).toBe(true)
        const alone = await runExported(engine, data, last.model, Int32Array.of(count - 1))
        for (let c = 0; c < k; c++) expect(alone[c]).toBeCloseTo(scores[(count - 1) * k + c], 5)
      })
    })
  }
}

test('learns classes that differ', async () => {
  const data = bags(90, 3, (i) => [i % 3])
  const { events, plan } = await runTrial(withParams({ weighting: 'hinge', form: 'counts' }), {
    engine,
    task: data,
    yields: 1e6,
  })
  const { validation } = candidates(events).at(-1)!
  const right = [...plan.rows].filter((row, i) => {
    const scores = validation!.subarray(3 * i, 3 * i + 3)
    return scores.indexOf(Math.max(...scores)) === row % 3
  })
  expect(right.length / plan.rows.length).toBeGreaterThan(0.8)
})

test('takes tables only when they are sparse', () => {
  expect(sparseLinear.portfolio(profileOf(bags(4, 2, (i) => [i % 2])))).toBeNull()
})

test('reads several matrices side by side, without zeros and missing values', () => {
  const sparse: MatrixBatch = {
    layout: 'sparse',
    indptr: Int32Array.of(0, 2, 3),
    indices: Int32Array.of(0, 2, 1),
    values: Float32Array.of(1, Number.NaN, 3),
    width: 3,
  }
  const dense: MatrixBatch = {
    layout: 'dense',
    data: Float32Array.of(0, 7, Number.NaN, 8),
    offsets: Float64Array.of(0, 2, 4),
    shapes: Int32Array.of(1, 1, 2, 1, 1, 1, 2, 1),
  }
  const { indptr, indices, values, width } = tableRows([sparse, dense], [3, 2])
  expect([[...indptr], [...indices], [...values], width]).toEqual([[0, 2, 4], [0, 4, 1, 4], [1, 7, 3, 8], 5])
})

test.each([
  ['softmax', 2],
  ['softmax', 3],
  ['sigmoid', 3],
] as const)('scores margins in memory as in the graph, even at the extremes: %s over %i classes', async (link, k) => {
  const outputs = link === 'softmax' && k === 2 ? 1 : k
  const margins = Float32Array.from({ length: 4 * outputs }, (_, i) => [-500, -3, 0, 0.4, 2, 800][i % 6])
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', outputs])
  g.output('y', marginScoresGraph(g, x, link, k, 2))
  const executable = await engine.compile(g.build())
  const { y } = await executable.run({ x: { type: 'float32', shape: [4, outputs], data: margins } })
  await executable.release()
  const here = marginScores(margins, link, k, 2)
  expect(here.length).toBe(4 * k)
  for (let at = 0; at < here.length; at++) expect(here[at]).toBeCloseTo((y.data as Float32Array)[at], 5)
})
