// Features of many rows: not copied where the store holds them in one piece, put together where it does not.
import { expect, test } from 'vitest'
import { loadFeatures } from '../../../src/families/common/load-features.ts'
import type { FrontEnd, TrialContext } from '../../../src/families/family.ts'

const WIDTH = 3
const COUNT = 20
const front = { key: 'test', base: null, shape: [WIDTH], store: 'float32' } as unknown as FrontEnd
const held = Float32Array.from({ length: COUNT * WIDTH }, (_, i) => i)
const valuesOf = (rows: Int32Array, from = held) =>
  Float32Array.from({ length: rows.length * WIDTH }, (_, i) => from[rows[Math.floor(i / WIDTH)] * WIDTH + (i % WIDTH)])

type Ask = (rows: Int32Array) => Float32Array
const inPlace: Ask = (rows) => held.subarray(rows[0] * WIDTH, (rows[0] + rows.length) * WIDTH)

/** Examples so large that four rows are a chunk. */
async function load(ask: Ask, rows?: Int32Array) {
  const extent = { min: 1, median: 1, max: 1 }
  const matrices = [{ steps: { ...extent, median: 1e6 }, rows: extent, cols: extent, channels: 1 }]
  const data = { features: async (_front: FrontEnd, _split: string, asked: Int32Array) => ask(asked) }
  const trial = { profile: { trainCount: COUNT, matrices }, data } as unknown as TrialContext
  const work = loadFeatures(trial, front, rows)
  for (let safePoints = 0; ; safePoints++) {
    const step = await work.next()
    if (step.done) return { features: step.value, safePoints }
  }
}

test('rows that the store holds in one piece are the store itself, with safe points on the way', async () => {
  const { features, safePoints } = await load(inPlace)
  expect(features.buffer).toBe(held.buffer)
  expect(features).toEqual(held)
  expect(safePoints).toBe(5)
  const some = (
    await load(
      inPlace,
      Int32Array.from({ length: 9 }, (_, i) => 7 + i),
    )
  ).features
  expect(some.buffer).toBe(held.buffer)
  expect(some).toEqual(held.slice(7 * WIDTH, 16 * WIDTH))
})

const moved = held.slice()
const CASES: [string, Ask, Int32Array | undefined][] = [
  ['that come as copies', (rows) => valuesOf(rows), undefined],
  [
    'of which the store gives copies after a while',
    (rows) => (rows[0] < 8 ? inPlace(rows) : valuesOf(rows)),
    undefined,
  ],
  [
    'that move in between',
    (rows) => (rows[0] < 8 ? inPlace(rows) : moved.subarray(rows[0] * WIDTH, (rows[0] + rows.length) * WIDTH)),
    undefined,
  ],
  ['in another order', inPlace, Int32Array.of(4, 5, 6, 7, 0, 1, 2, 3, 8, 9)],
]
test.each(CASES)('rows %s are put together', async (_title, ask, rows) => {
  const { features } = await load(ask, rows)
  expect(features).toEqual(valuesOf(rows ?? Int32Array.from({ length: COUNT }, (_, i) => i)))
  expect(features.buffer).not.toBe(held.buffer)
})

test('no rows are no values', async () => {
  expect((await load(inPlace, new Int32Array(0))).features).toEqual(new Float32Array(0))
})
