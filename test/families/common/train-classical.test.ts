// The course of learners that are fitted in one go: which rows each fit sees, and that an interrupted course goes on where it was.
import { afterAll, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { constantModel } from '../../../src/families/common/constant-model.ts'
import { type Fitter, trainClassical } from '../../../src/families/common/train-classical.ts'
import type { Family } from '../../../src/families/family.ts'
import { type MemoryTask, runTrial } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

function rows(count: number): MemoryTask {
  const examples = Array.from({ length: count }, (_, i) => ({
    shape: [1, 1, 1, 1] as const,
    values: [i],
    classes: [i % 2],
  }))
  return { kind: 'table', classCount: 2, bytes: false, varies: false, vocabulary: [], examples: examples as never }
}

/** Gives constants and notes what it was asked to learn from. */
function noting(fits: Map<string, Int32Array>, firstPart: number): Family {
  const fitter: Fitter = {
    async *fit(asked, stage) {
      yield { done: 0, of: null, note: 'rows' }
      fits.set(`${stage} ${asked.length}`, asked)
      const predict = async (judged: Int32Array) => new Float32Array(2 * judged.length).fill(0.5)
      return { model: constantModel(Float32Array.of(0.5, 0.5)), choices: {}, predict }
    },
  }
  return {
    name: 'noting',
    summary: '',
    portfolio: () => [{ params: {}, order: 0 }],
    space: () => ({}),
    train: (trial) => trainClassical(trial, fitter, { sampleFirst: true, firstPart }),
  }
}

test('many rows are approached in growing parts of the rows that teach, each judged', async () => {
  const fits = new Map<string, Int32Array>()
  const { events, plan } = await runTrial(noting(fits, 50), { engine, task: rows(2000), yields: 100 })
  expect([...fits.keys()]).toEqual(['sample 20', 'part 50', 'part 400', 'fold 1500', 'all 2000'])
  const [{ train }] = plan.folds
  for (const size of [50, 400]) {
    const part = fits.get(`part ${size}`)!
    expect(new Set(part).size).toBe(size)
    expect([...part].every((row) => train.includes(row))).toBe(true)
    // Files may be sorted by class: parts are no beginnings.
    expect(part[size - 1]).toBeGreaterThan(train[size - 1])
  }
  const judged = events.flatMap((event) => (event.type === 'candidate' ? [event.validation?.length] : []))
  expect(judged).toEqual([undefined, 1000, 1000, 1000, 1000])
})

test('no part is smaller than twice the sample, whose model it would replace', async () => {
  const fits = new Map<string, Int32Array>()
  await runTrial(noting(fits, 20), { engine, task: rows(1000), yields: 100 })
  expect([...fits.keys()]).toEqual(['sample 20', 'part 40', 'fold 750', 'all 1000'])
})

test.each([
  ['few rows', 50, 1],
  ['folds', 20, 4],
])('no parts: %s', async (_title, firstPart, folds) => {
  const fits = new Map<string, Int32Array>()
  await runTrial(noting(fits, firstPart), { engine, task: rows(folds === 1 ? 100 : 1000), yields: 100, folds })
  expect([...fits.keys()].filter((fit) => fit.startsWith('part'))).toEqual([])
})

test('what is resumed does not repeat its parts', async () => {
  const fits = new Map<string, Int32Array>()
  const family = noting(fits, 50)
  const { state } = await runTrial(family, { engine, task: rows(2000), yields: 4 })
  expect([...fits.keys()].slice(1)).toEqual(['part 50'])
  fits.clear()
  await runTrial(family, { engine, task: rows(2000), yields: 100, resumed: state })
  expect([...fits.keys()]).toEqual(['part 400', 'fold 1500', 'all 2000'])
})
