import { describe, expect, it } from 'vitest'
import { type Plan, planValidation, stratifiedSample } from '../../src/dataset/plan.ts'
import { Rng } from '../../src/support/rng.ts'
import { allRows, range } from './helpers.ts'

/** [n, k] one-hot labels. */
function oneHot(classes: number[], k: number): Float32Array {
  const labels = new Float32Array(classes.length * k)
  classes.forEach((c, i) => {
    labels[i * k + c] = 1
  })
  return labels
}

function classShare(labels: Float32Array, rows: Int32Array, k: number, c: number): number {
  return rows.reduce((sum, row) => sum + labels[row * k + c], 0) / rows.length
}

function counts(labels: Float32Array, rows: Int32Array, k: number): number[] {
  return range(k).map((c) => rows.reduce((sum, row) => sum + labels[row * k + c], 0))
}

/** Every fold splits all rows into two, and every row is judged `judged` times. */
function checkParts(plan: Plan, n: number): void {
  for (const { train, validation } of plan.folds) {
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(range(n))
  }
  expect([...plan.rows]).toEqual(plan.folds.flatMap((fold) => [...fold.validation]))
  expect(new Set(plan.rows).size).toBe(plan.rows.length)
}

describe('a plan for many rows', () => {
  const classes = range(10_000).map((i) => (i % 100 === 0 ? 2 : i % 3 === 0 ? 1 : 0))
  const labels = oneHot(classes, 4)
  const plan = planValidation(labels, 10_000, 4, Rng.fromSeed(1))

  it('is one holdout of a fifth, within its bound', () => {
    expect([plan.kind, plan.folds.length, plan.rows.length]).toEqual(['holdout', 1, 2000])
    expect(
      planValidation(
        oneHot(
          range(60_000).map((i) => i % 2),
          2,
        ),
        60_000,
        2,
        Rng.fromSeed(1),
      ).rows,
    ).toHaveLength(2500)
    checkParts(plan, 10_000)
  })

  it('is larger where a class is rare, unless it is too rare to be judged or one of many', () => {
    const holdout = (n: number, k: number, classOf: (i: number) => number, rowBytes = 80) =>
      planValidation(oneHot(range(n).map(classOf), k), n, k, Rng.fromSeed(1), null, rowBytes).rows.length
    expect(holdout(200_000, 2, (i) => (i % 100 === 0 ? 1 : 0))).toBe(10_000)
    expect(holdout(20_000, 2, (i) => (i % 100 === 0 ? 1 : 0))).toBe(4000)
    expect(holdout(200_000, 2, (i) => (i % 1000 === 0 ? 1 : 0))).toBe(25_000)
    expect(holdout(200_000, 2, (i) => (i < 20 ? 1 : 0))).toBe(2500)
    // Pictures cost more to judge by.
    expect(holdout(200_000, 2, (i) => (i % 100 === 0 ? 1 : 0), 3072)).toBe(5208)
    // One column: those without the label are the rare ones.
    const yes = Float32Array.from({ length: 200_000 }, (_, i) => (i % 100 === 0 ? 0 : 1))
    expect(planValidation(yes, 200_000, 1, Rng.fromSeed(1)).rows).toHaveLength(10_000)
    expect(holdout(60_000, 50, (i) => (i % 600 === 0 ? 0 : i % 50))).toBe(2500)
  })

  it('has every class in proportion', () => {
    for (let c = 0; c < 4; c++) {
      expect(classShare(labels, plan.rows, 4, c)).toBeCloseTo(classShare(labels, allRows(10_000), 4, c), 3)
    }
  })

  it('is the same for the same seed and another for another', () => {
    expect(planValidation(labels, 10_000, 4, Rng.fromSeed(1)).rows).toEqual(plan.rows)
    expect(planValidation(labels, 10_000, 4, Rng.fromSeed(2)).rows).not.toEqual(plan.rows)
  })

  it('does not follow the order of a file sorted by class', () => {
    const sorted = oneHot(
      range(2000).map((i) => (i < 1000 ? 0 : 1)),
      2,
    )
    const { rows } = planValidation(sorted, 2000, 2, Rng.fromSeed(3))
    expect(counts(sorted, rows, 2)).toEqual([200, 200])
    expect(rows[0]).toBeLessThan(50)
    expect(rows.at(-1)).toBeGreaterThan(1950)
  })
})

describe('a plan for few rows', () => {
  it('is five folds that judge every row once, each class in each', () => {
    const labels = oneHot(
      range(103).map((i) => i % 4),
      4,
    )
    const plan = planValidation(labels, 103, 4, Rng.fromSeed(1))
    expect([plan.kind, plan.folds.length]).toEqual(['folds', 5])
    checkParts(plan, 103)
    expect([...plan.rows].sort((a, b) => a - b)).toEqual(range(103))
    for (const { validation } of plan.folds) {
      for (const count of counts(labels, validation, 4)) expect(count).toBeGreaterThanOrEqual(4)
    }
  })

  it.each([
    ['three examples', [0, 0, 0, 0, 0, 0, 1, 1, 1]],
    ['two examples', [0, 0, 0, 0, 0, 0, 1, 1]],
    ['one example, which only four folds can teach', [0, 0, 0, 0, 0, 0, 1]],
  ])('is five folds too with a class of %s', (_title, classes) => {
    const labels = oneHot(classes, 3)
    const plan = planValidation(labels, classes.length, 3, Rng.fromSeed(1))
    expect(plan.folds).toHaveLength(5)
    checkParts(plan, classes.length)
    const untaught = plan.folds.filter(({ train }) => train.every((row) => classes[row] === 0))
    expect(untaught).toHaveLength(classes.filter((c) => c === 1).length === 1 ? 1 : 0)
  })

  it('of one class, or of rows without labels, still judges every row', () => {
    for (const labels of [
      oneHot(
        range(10).map(() => 0),
        1,
      ),
      new Float32Array(10),
    ]) {
      const plan = planValidation(labels, 10, 1, Rng.fromSeed(1))
      checkParts(plan, 10)
      expect(plan.rows).toHaveLength(10)
    }
  })

  it.each([0, 1, 2, 3])('works for %i rows', (n) => {
    const plan = planValidation(
      oneHot(
        range(n).map((i) => i % 2),
        2,
      ),
      n,
      2,
      Rng.fromSeed(1),
    )
    expect([...plan.rows].sort()).toEqual(range(n))
    for (const { train } of plan.folds) expect(train.length).toBeGreaterThan(n === 0 ? -1 : 0)
  })
})

describe('several labels per row', () => {
  const n = 3000
  const k = 6
  const rng = Rng.fromSeed(5)
  const labels = Float32Array.from({ length: n * k }, (_, i) =>
    rng.uniform() < [0.5, 0.3, 0.1, 0.02, 0.004, 0][i % k] ? 1 : 0,
  )

  it('keeps the proportions of frequent and rare classes', () => {
    const { rows } = planValidation(labels, n, k, Rng.fromSeed(1))
    const all = counts(labels, allRows(n), k)
    counts(labels, rows, k).forEach((count, c) => {
      expect(Math.abs(count - all[c] * 0.2)).toBeLessThan(1 + 0.03 * all[c])
    })
  })
})

describe('a stratified sample', () => {
  const classes = range(5000).map((i) => (i < 3 ? 2 : i % 10 === 0 ? 1 : 0))
  const labels = oneHot(classes, 3)

  it('has the asked size, ascending rows of those given, and even the rarest class', () => {
    const rows = allRows(5000).filter((row) => row % 3 !== 1)
    const sample = stratifiedSample(labels, rows, 3, 200, Rng.fromSeed(1))
    expect(sample).toHaveLength(200)
    expect([...sample]).toEqual([...new Set(sample)].sort((a, b) => a - b))
    expect(sample.every((row) => row % 3 !== 1)).toBe(true)
    const [zero, one, two] = counts(labels, sample, 3)
    expect(zero).toBeGreaterThan(175)
    expect(one).toBeGreaterThanOrEqual(18)
    expect(two).toBeGreaterThanOrEqual(1)
  })

  it('of at least all rows is all rows', () => {
    expect([...stratifiedSample(labels, Int32Array.of(9, 4, 7), 3, 10, Rng.fromSeed(1))]).toEqual([4, 7, 9])
  })
})

describe('a plan for rows with copies', () => {
  const n = 600
  // Rows 400..599 are copies of rows 0..199.
  const twinOf = Int32Array.from({ length: n }, (_, i) => (i < 400 ? i : i - 400))
  const labels = oneHot(
    range(n).map((i) => twinOf[i] % 3),
    3,
  )

  it.each([1, 5])('never has a copy teach what its twin judges (%i times the rows)', (times) => {
    const many = Int32Array.from({ length: n * times }, (_, i) => Math.floor(i / n) * n + twinOf[i % n])
    const manyLabels = oneHot(
      range(n * times).map((i) => twinOf[i % n] % 3),
      3,
    )
    const plan = planValidation(manyLabels, n * times, 3, Rng.fromSeed(2), many)
    for (const { train, validation } of plan.folds) {
      const judged = new Set([...validation].map((row) => many[row]))
      expect([...train].some((row) => judged.has(many[row]))).toBe(false)
      expect(validation.length).toBeGreaterThan(0)
    }
    expect(new Set([...plan.rows].map((row) => many[row])).size).toBe(plan.rows.length)
  })

  it('lets copies teach', () => {
    const plan = planValidation(labels, n, 3, Rng.fromSeed(2), twinOf)
    const { train } = plan.folds[0]
    expect([...train].some((row) => row >= 400)).toBe(true)
    for (const row of train) expect([...train].includes(twinOf[row])).toBe(true)
  })

  it('judges a single example by itself, copies or not', () => {
    const plan = planValidation(oneHot([0, 0, 0], 2), 3, 2, Rng.fromSeed(1), Int32Array.of(0, 0, 0))
    expect([...plan.rows]).toEqual([0])
    expect([...plan.folds[0].train]).toEqual([0, 1, 2])
  })
})
