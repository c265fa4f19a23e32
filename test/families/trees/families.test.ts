import { afterAll, describe, expect, it } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { TrialState } from '../../../src/families/family.ts'
import { treeFamilies } from '../../../src/families/trees/index.ts'
import { nauc } from '../../../src/metrics/nauc.ts'
import { Rng } from '../../../src/support/rng.ts'
import { candidatesOf, oneHot, type Task, testTrial, worstDifference } from './helpers.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

/** Three classes by distance from the origin in two of five columns; a tenth of the values missing. */
function rings(n: number, seed = 1): Task {
  const rng = Rng.fromSeed(seed)
  const values = Float32Array.from({ length: n * 5 }, () => rng.normal())
  const classOf = Int32Array.from({ length: n }, (_, i) =>
    Math.min(2, Math.floor(Math.hypot(values[i * 5], values[i * 5 + 3]))),
  )
  for (let at = 0; at < values.length; at++) if (rng.uniform() < 0.1) values[at] = Number.NaN
  return { matrices: [{ values, features: 5 }], labels: oneHot(classOf, 3), classes: 3 }
}

/** Two hundred mostly empty columns, beside a dense matrix. */
function words(n: number): Task {
  const rng = Rng.fromSeed(2)
  const values = Float32Array.from({ length: n * 400 }, () => (rng.uniform() < 0.05 ? 1 + rng.below(3) : 0))
  const more = Float32Array.from({ length: n * 2 }, () => rng.normal())
  const classOf = Int32Array.from({ length: n }, (_, i) => (values[i * 400 + 3] > 0 || more[i * 2] > 1 ? 1 : 0))
  const matrices = [
    { values, features: 400, sparse: true },
    { values: more, features: 2 },
  ]
  return { matrices, labels: oneHot(classOf, 2), classes: 2 }
}

function manyLabels(n: number): Task {
  const rng = Rng.fromSeed(3)
  const values = Float32Array.from({ length: n * 3 }, () => rng.normal())
  const labels = new Float32Array(n * 4)
  for (let i = 0; i < n; i++) for (let k = 0; k < 3; k++) labels[i * 4 + k] = values[i * 3 + k] > 0.3 ? 1 : 0
  return { matrices: [{ values, features: 3 }], labels, classes: 4 }
}

const QUICK = { boosting: { rounds: 30 }, forest: { trees: 45 } } as const

describe.each(treeFamilies)('family $name', (family) => {
  const paramsFor = (task: Task, entry = 0) => {
    const { profile } = testTrial(task, {}, engine).context
    return { ...family.portfolio(profile)![entry].params, ...QUICK[family.name as keyof typeof QUICK] }
  }

  it.each([
    ['rows with missing values, folds', rings(300), 0.75],
    ['rows with missing values, holdout', rings(1200), 0.85],
    ['sparse and dense matrices, folds', words(400), 0.6],
    ['sparse and dense matrices, holdout', words(1100), 0.6],
    ['several labels a row, one class never', manyLabels(500), 0.8],
  ])('learns %s, and exports what it says', async (_title, task, least) => {
    const { length: entries } = family.portfolio(testTrial(task, {}, engine).context.profile)!
    for (let entry = 0; entry < entries; entry++) {
      const trial = testTrial(task, paramsFor(task, entry), engine)
      const { plan, profile } = trial.context
      const candidates = await candidatesOf(family.train(trial.context))
      expect(candidates.length).toBeGreaterThan(0)
      expect(candidates.at(-1)!.trainedOn).toBe('all')
      const truth = plan.rows.length * task.classes
      const labels = new Float32Array(truth)
      for (const [i, row] of plan.rows.entries()) {
        labels.set(task.labels.subarray(row * task.classes, (row + 1) * task.classes), i * task.classes)
      }
      for (const { validation, model, trainedOn } of candidates) {
        expect(validation).toHaveLength(truth)
        expect(validation!.every((score) => score >= 0 && score <= 1)).toBe(true)
        const scores = await trial.predict(model)
        expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true)
        expect(nauc(task.labels, scores, task.classes)).toBeGreaterThan(least)
        if (!profile.multiLabel) {
          for (let i = 0; i < scores.length; i += task.classes) {
            expect(scores.subarray(i, i + task.classes).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4)
          }
        }
        // A holdout's rows are judged by the very model that is exported.
        if (plan.kind !== 'holdout' || trainedOn !== 'train') continue
        const judged = Float32Array.from(
          { length: truth },
          (_, at) => scores[plan.rows[Math.floor(at / task.classes)] * task.classes + (at % task.classes)],
        )
        expect(worstDifference(judged, validation!)).toBeLessThan(1e-5)
      }
      expect(nauc(labels, candidates.at(-1)!.validation!, task.classes)).toBeGreaterThan(least - 0.25)
    }
  })

  it('gives the same candidates for the same seed', async () => {
    const task = rings(300)
    const runs = await Promise.all(
      [0, 1].map(() => candidatesOf(family.train(testTrial(task, paramsFor(task), engine).context))),
    )
    expect(runs[0].map(({ validation }) => [...validation!])).toEqual(runs[1].map(({ validation }) => [...validation!]))
  })

  it.each([3, 40, 120, 200])(
    'goes on from a state saved after %i yields and ends with the same model',
    async (stop) => {
      const task = rings(300)
      const whole = testTrial(task, paramsFor(task), engine)
      const expected = (await candidatesOf(family.train(whole.context))).at(-1)!
      const broken = testTrial(task, paramsFor(task), engine)
      let state: TrialState | null = null
      let left = stop
      for await (const _ of family.train(broken.context)) {
        if (--left > 0) continue
        state = await broken.snapshot()
        break
      }
      // A family that is done sooner has nothing left to say.
      if (state === null) state = await broken.snapshot()
      const resumed = testTrial(task, paramsFor(task), engine, state)
      const last = (await candidatesOf(family.train(resumed.context))).at(-1)
      if (last === undefined) return expect(left).toBeGreaterThanOrEqual(0)
      expect(worstDifference(last.validation!, expected.validation!)).toBeLessThan(1e-4)
      expect(worstDifference(await resumed.predict(last.model), await whole.predict(expected.model))).toBeLessThan(1e-4)
    },
  )

  it.each([
    [
      'one example',
      { matrices: [{ values: Float32Array.of(1, 2), features: 2 }], labels: Float32Array.of(1, 0), classes: 2 },
    ],
    [
      'one class',
      {
        matrices: [{ values: Float32Array.of(1, 2, 3, 4), features: 1 }],
        labels: Float32Array.of(1, 1, 1, 1),
        classes: 1,
      },
    ],
    [
      'a constant feature',
      { matrices: [{ values: Float32Array.of(1, 1, 1, 1), features: 1 }], labels: oneHot([0, 1, 0, 1], 2), classes: 2 },
    ],
    [
      'no value at all',
      {
        matrices: [{ values: new Float32Array(4).fill(Number.NaN), features: 1 }],
        labels: oneHot([0, 1, 2, 1], 3),
        classes: 3,
      },
    ],
    [
      'unlabelled examples',
      { matrices: [{ values: Float32Array.of(1, 2, 3, 4), features: 1 }], labels: new Float32Array(8), classes: 2 },
    ],
  ] satisfies [string, Task][])('bears %s', async (_title, task) => {
    const trial = testTrial(task, paramsFor(task), engine)
    const candidates = await candidatesOf(family.train(trial.context))
    const scores = await trial.predict(candidates.at(-1)!.model)
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true)
  })

  it('gives a class without training examples low scores', async () => {
    const task = rings(300)
    const wide = { ...task, classes: 5, labels: new Float32Array(1500) }
    for (let i = 0; i < 300; i++) wide.labels.set(task.labels.subarray(i * 3, i * 3 + 3), i * 5)
    const trial = testTrial(wide, paramsFor(wide), engine)
    const scores = await trial.predict((await candidatesOf(family.train(trial.context))).at(-1)!.model)
    for (let i = 0; i < 300; i++) expect(Math.max(scores[i * 5 + 3], scores[i * 5 + 4])).toBeLessThan(0.01)
  })
})
