import { afterAll, expect, test } from 'vitest'
import type { Tensor } from '../../src/engine/engine.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { decodeGraph, encodeGraph } from '../../src/graph/encoding.ts'
import {
  add,
  cast,
  concat,
  dimOf,
  isNan,
  matmul,
  mul,
  reshape,
  slice,
  softmax,
  where,
} from '../../src/graph/functions.ts'
import type { Graph } from '../../src/graph/graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const f32 = (shape: number[], values: number[]): Tensor => ({ type: 'float32', shape, data: Float32Array.from(values) })

/** scores = softmax(where(isnan(x), 0, x) W), [n, 2] */
function linear(): Graph {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', 2])
  const w = g.constant(Float32Array.of(1, 0, 0, 2), [2, 2])
  g.output('scores', softmax(g, matmul(g, where(g, isNan(g, x), 0, x), w)))
  return g.build()
}

test('a graph runs with any batch size', async () => {
  const run = await engine.compile(linear())
  for (const n of [1, 3]) {
    const x = f32([n, 2], Array(n).fill([1, Number.NaN]).flat())
    const { scores } = await run.run({ x })
    expect(scores.shape).toEqual([n, 2])
    expect((scores.data as Float32Array)[0]).toBeCloseTo(Math.E / (Math.E + 1), 6)
  }
  await run.release()
})

test('outputs are written into preallocated tensors', async () => {
  const run = await engine.compile(linear())
  const into = { scores: f32([1, 2], [0, 0]) }
  const result = await run.run({ x: f32([1, 2], [0, 0]) }, into)
  expect(result.scores).toBe(into.scores)
  expect([...(into.scores.data as Float32Array)]).toEqual([0.5, 0.5])
  await run.release()
})

test('equal graphs share a session, and one release does not end the other user', async () => {
  const first = await engine.compile(linear())
  const second = await engine.compile(linear())
  await first.release()
  await first.release()
  const { scores } = await second.run({ x: f32([1, 2], [0, 0]) })
  expect([...(scores.data as Float32Array)]).toEqual([0.5, 0.5])
  await second.release()
})

test('a wrong feed names the input, what was received and what is needed', async () => {
  const run = await engine.compile(linear())
  await expect(run.run({ x: f32([1, 3], [0, 0, 0]) })).rejects.toThrow(
    'input x: received float32[1, 3]; must be float32[n, 2]',
  )
  await expect(run.run({})).rejects.toThrow('input x float32[n, 2] is not fed')
  await run.release()
})

test('a member graph survives bytes and is inlined twice into one model', async () => {
  const member = decodeGraph(encodeGraph(linear()))
  expect(member).toEqual(linear())
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', 2])
  const a = g.inline(member, { x }).scores
  const b = g.inline(member, { x: mul(g, x, 2) }).scores
  g.output('scores', mul(g, add(g, a, b), 0.5))
  const graph = g.build()
  expect(graph.initializers.filter((c) => c.shape.length === 2)).toHaveLength(1)
  const run = await engine.compile(graph)
  const { scores } = await run.run({ x: f32([1, 2], [1, 0]) })
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
  expect((scores.data as Float32Array)[0]).toBeCloseTo((sigmoid(1) + sigmoid(2)) / 2, 6)
  await run.release()
})

test('shapes with several symbols are reshaped at run time', async () => {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', 't', 'c', 2])
  const flat = reshape(g, x, ['n', 't', '2*c'])
  expect(flat.shape).toEqual(['n', 't', '2*c'])
  const swapped = reshape(g, x, ['t', 'n', 'c', 2])
  expect(swapped.shape).toEqual(['t', 'n', 'c', 2])
  const size = g.op('Reshape', [x, concat(g, [dimOf(g, x, 0), g.ints([-1])], 0)])
  expect(size.shape).toEqual(['n', '2*c*t'])
  g.output('swapped', swapped)
  g.output('n', cast(g, dimOf(g, x, 0), 'float32'))
  const run = await engine.compile(g.build())
  const out = await run.run({ x: f32([2, 3, 1, 2], Array(12).fill(1)) })
  expect(out.swapped.shape).toEqual([3, 2, 1, 2])
  expect(out.n.data[0]).toBe(2)
  await run.release()
})

test('a slice of an axis of unknown length claims no length that the axis may not have', async () => {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', 't'])
  const cut = slice(g, x, 1, 0, 5)
  expect(typeof cut.shape[1]).toBe('string')
  const padded = g.op('Pad', [x, g.ints([0, 0, 0, 5]), g.scalar(0)], { mode: 'constant' })
  expect(slice(g, padded, 1, 0, 5).shape).toEqual(['n', 5])
  g.output('length', g.op('Shape', [cut], { start: 1, end: 2 }))
  const executable = await engine.compile(g.build())
  const { length } = await executable.run({ x: f32([1, 3], [1, 2, 3]) })
  expect(Number(length.data[0])).toBe(3)
  await executable.release()
})

test.each([false, true])(
  'residents step alike whether their arrays are given away or not (adopt: %s)',
  async (adopt) => {
    const g = new GraphBuilder()
    const w = g.input('w', 'float32', [2])
    g.output('before', mul(g, w, 10))
    g.output('next', add(g, w, 1))
    const step = await engine.compile(g.build(), { resident: ['next'] })
    const given = f32([2], [1, 2])
    const state = await engine.reside({ w: given }, { adopt })
    for (let i = 0; i < 3; i++) {
      const { before } = await step.advance({ feeds: {}, state, next: { w: 'next' } })
      expect([...(before.data as Float32Array)]).toEqual([10 * (1 + i), 10 * (2 + i)])
    }
    expect([...(await state.read(['w'])).w.data]).toEqual([4, 5])
    // Three steps on, an array that was given away has been written to; another is as it was.
    expect([...given.data]).toEqual(adopt ? [3, 4] : [1, 2])
    await state.release()
    await step.release()
  },
)
