// Table columns: missing and infinite values, codes, heavy tails, scales far from one.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { tableFront } from '../../../src/families/fronts/table.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const { NaN: missing, POSITIVE_INFINITY: infinite } = Number

async function spread(
  fitted: number[],
  d: number,
  rows: number[],
  pieces = 0,
): Promise<{ size: number; data: number[] }> {
  const front = tableFront(Float32Array.from(fitted), fitted.length / d, d, { pieces })
  const n = rows.length / d
  const feeds = { x: { shape: [n, 1, 1, d, 1], declared: ['n', 1, 1, d, 1], data: Float32Array.from(rows) } }
  const { data } = await runGraph(engine, feeds, (g, { x }) => front.build(g, null, [{ matrix: x, length: null }]))
  expect(data.length).toBe(n * front.shape[0])
  return { size: front.shape[0], data: [...data] }
}

describe('table columns', () => {
  test('are standardised; missing values become the mean and raise a flag', async () => {
    const { size, data } = await spread([0.5, missing, 2.5, 4.5], 1, [2.5, missing, 4.5])
    expect(size).toBe(2)
    expect(data[0]).toBeCloseTo(0, 5)
    expect(data.slice(2, 4)).toEqual([0, 1])
    expect(data[4]).toBeCloseTo(2 / Math.sqrt(8 / 3), 5)
  })

  test('few integral values are coded one by one, unknown ones not at all', async () => {
    const { size, data } = await spread([1, 2, 3, 1, 2, 3], 1, [2, 7])
    expect(size).toBe(4)
    expect(data.slice(1, 4)).toEqual([0, 1, 0])
    expect(data.slice(5, 8)).toEqual([0, 0, 0])
  })

  test('continuous columns get pieces that fill up one after the other', async () => {
    const fitted = Array.from({ length: 101 }, (_, i) => i / 2)
    const { data } = await spread(fitted, 1, [-5, 25, 37.5, 90], 4)
    const pieces = [0, 1, 2, 3].map((row) => data.slice(row * 5 + 1, row * 5 + 5).map((v) => Math.round(v * 100) / 100))
    expect(pieces).toEqual([
      [0, 0, 0, 0],
      [1, 1, 0, 0],
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ])
  })

  test('infinities, constants, columns without any value and scales of a million stay finite', async () => {
    const fitted = Array.from({ length: 100 }, (_, i) => [
      1e6 * Math.sin(i),
      7,
      missing,
      i === 0 ? 1e9 : i + 0.5,
    ]).flat()
    const { data } = await spread(fitted, 4, [
      infinite,
      infinite,
      infinite,
      -infinite,
      missing,
      missing,
      missing,
      missing,
    ])
    expect(data.every(Number.isFinite)).toBe(true)
    expect(Math.max(...data.map(Math.abs))).toBeLessThan(200)
  })
})
