import { expect, test } from 'vitest'
import { FIRST_CYCLE, LATER_CYCLE, rateAt } from '../../../src/families/networks/cycle.ts'
import { nextCycleMs, nextCycleMsBefore, publishIsDue } from '../../../src/families/networks/cycle-plan.ts'
import { epochSampler } from '../../../src/families/networks/epochs.ts'
import { featuresFor } from '../../../src/families/networks/table-net.ts'
import { trainingClock, YIELD_MS } from '../../../src/families/networks/training-clock.ts'
import { vectorBatches } from '../../../src/families/networks/vector-batches.ts'
import { Rng } from '../../../src/support/rng.ts'

test('a cycle warms up to its peak and falls to its end', () => {
  for (const shape of [FIRST_CYCLE, LATER_CYCLE]) {
    expect(rateAt(shape, 0)).toBeCloseTo(shape.peak * shape.start, 6)
    expect(rateAt(shape, shape.warmup)).toBeCloseTo(shape.peak, 6)
    expect(rateAt(shape, 1)).toBeCloseTo(shape.peak * shape.end, 6)
    for (let t = shape.warmup; t < 0.99; t += 0.01) expect(rateAt(shape, t + 0.01)).toBeLessThan(rateAt(shape, t))
  }
})

test.each([60_000, 300_000, 1_200_000])('cycles fill %d ms, each about twice as long as all before', (budgetMs) => {
  let spent = 0
  const lengths: number[] = []
  for (;;) {
    const cycle = nextCycleMs(spent, budgetMs - spent, 5000)
    if (cycle === null) break
    lengths.push(cycle)
    spent += cycle
  }
  expect(spent).toBeGreaterThan(0.88 * budgetMs)
  expect(spent).toBeLessThanOrEqual(budgetMs + 1e-6)
  let before = lengths[0]
  for (const length of lengths.slice(1)) {
    expect(length / before).toBeGreaterThan(0.7)
    expect(length / before).toBeLessThan(4.5)
    before += length
  }
})

test('a network that would come with the last cycle comes with the one before it and takes the time of both', () => {
  const lastTwo = { spent: 36_000, left: 240_000, first: 5000 }
  const cycle = (needsMs: number) =>
    nextCycleMsBefore((ms) => ms >= needsMs, lastTwo.spent, lastTwo.left, lastTwo.first)
  const usual = nextCycleMs(lastTwo.spent, lastTwo.left, lastTwo.first)!
  expect(usual).toBeLessThan(lastTwo.left / 2)
  expect(cycle(usual - 1)).toBe(usual)
  expect(cycle(usual + 1)).toBe(lastTwo.left)
  expect(cycle(lastTwo.left - usual + 1)).toBe(usual)
  // Two cycles before the last there is time to learn more first.
  expect(nextCycleMsBefore((ms) => ms > 500_000, 36_000, 900_000, 5000)).toBe(nextCycleMs(36_000, 900_000, 5000))
})

test('publishing waits for a share of the time and for many times its own cost', () => {
  expect(publishIsDue(10_000, 8000, 10)).toBe(false)
  expect(publishIsDue(11_000, 8000, 10)).toBe(true)
  expect(publishIsDue(11_000, 8000, 1000)).toBe(false)
})

test('every row is drawn once a pass, in another order each pass, across batches', () => {
  const rows = Int32Array.of(3, 5, 8, 9, 11)
  const sampler = epochSampler(rows, Rng.fromSeed(1))
  const batch = new Int32Array(3)
  const drawn: number[] = []
  for (let i = 0; i < 10; i++) {
    sampler.next(batch)
    drawn.push(...batch)
  }
  expect(sampler.epochs()).toBe(6)
  const passes = Array.from({ length: 6 }, (_, p) => drawn.slice(5 * p, 5 * p + 5))
  for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual([...rows])
  expect(new Set(passes.map((pass) => pass.join())).size).toBeGreaterThan(1)
})

test('under the counted pace time is yields and work, and nothing else', () => {
  let left = 10
  const clock = trainingClock({ kind: 'steps', remainingSteps: () => left }, 600)
  expect(clock.spentMs()).toBe(600)
  expect(clock.due(YIELD_MS / 2)).toBe(false)
  expect(clock.spentMs()).toBe(600 + YIELD_MS / 2)
  expect(clock.due(YIELD_MS / 2)).toBe(true)
  clock.yielded()
  left--
  expect(clock.spentMs()).toBe(600 + YIELD_MS)
  expect(clock.leftMs()).toBe(9 * YIELD_MS)
})

test('batches find the rows that are held, when not all are', () => {
  const data = Float32Array.of(10, 11, 40, 41, 70, 71)
  const x = new Float32Array(6)
  const batches = vectorBatches(data, 2, 0, Int32Array.of(1, 4, 7))
  batches.fill(Int32Array.of(7, 1, 7), x, new Float32Array(3), Rng.fromSeed(1), 0)
  expect([...x]).toEqual([70, 71, 10, 11, 70, 71])
})

test.each([
  ['stay many with few rows', 10_000, 50, 2048],
  ['become fewer with many rows', 1_000_000, 50, 100],
  ['are at least the columns', 1_000_000, 500, 500],
])('the features of a table %s', (_title, rows, columns, features) => {
  expect(featuresFor(rows, columns)).toBe(features)
})
