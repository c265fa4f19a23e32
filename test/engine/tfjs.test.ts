import * as tfjs from '@tensorflow/tfjs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine, Tensor } from '../../src/engine/engine.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { createTfjsEngine } from '../../src/engine/tfjs/engine.ts'
import { createTrainer, frozenNetwork } from '../../src/engine/trainer.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { add, flatten, gather, mul, relu } from '../../src/graph/functions.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { embedding, linear } from '../../src/graph/layers/linear.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import type { NetworkDefinition } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'
import { convNet, f32, levels, networks } from './small-networks.ts'

const onnx = createOnnxEngine({ threads: 1 })
const tf = await createTfjsEngine()
afterAll(() => Promise.all([onnx.close(), tf.close()]))

interface Course {
  losses: number[]
  weights: Record<string, Float32Array>
  logits: Float32Array
}

/** 20 steps from the same start, over the same batches. */
async function course(engine: Engine, definition: NetworkDefinition): Promise<Course> {
  const rng = Rng.fromSeed(7)
  const trainer = await createTrainer(engine, definition, { batch: 16, optimizer: adamW(), ema: true, clip: true })
  const training = await trainer.start(Rng.fromSeed(1))
  const { shape } = definition.inputs.x
  const losses: number[] = []
  for (let i = 0; i < 20; i++) losses.push(await training.step(levels(rng, 16, shape), { lr: 0.01, clipNorm: 1 }))
  const logits = (await training.predict({ x: levels(rng, 30, shape).x })).data as Float32Array
  const weights = await training.weights('average')
  await training.release()
  await trainer.release()
  return { losses, weights, logits }
}

function expectClose(received: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = ''): void {
  expect(received.length).toBe(expected.length)
  const worst = Math.max(...Array.from(expected, (value, i) => Math.abs(value - received[i]) / (1 + Math.abs(value))))
  expect(worst, what).toBeLessThan(tolerance)
}

describe('as onnxruntime does', () => {
  test.each(networks)('%s trains 20 steps, dropout included, and predicts', async (_, definition) => {
    const [expected, received] = [await course(onnx, definition), await course(tf, definition)]
    expectClose(received.losses, expected.losses, 1e-3, 'losses')
    expectClose(received.logits, expected.logits, 1e-2, 'logits')
    for (const [name, values] of Object.entries(expected.weights)) {
      expectClose(received.weights[name], values, 5e-3, name)
    }
  })

  test.each(networks)('%s is exported', async (_, definition) => {
    const trainer = await createTrainer(onnx, definition, { batch: 16, optimizer: sgd() })
    const training = await trainer.start(Rng.fromSeed(4))
    const g = new GraphBuilder()
    const { shape } = definition.inputs.x
    const head = frozenNetwork(definition, await training.weights())
    g.output('y', head(g, { x: g.input('x', 'float32', ['n', ...shape]) }))
    const graph = g.build()
    await training.release()
    await trainer.release()
    const [a, b] = [await onnx.compile(graph), await tf.compile(graph)]
    for (const n of [1, 5]) {
      const { x } = levels(Rng.fromSeed(n), n, shape)
      expectClose((await b.run({ x })).y.data as Float32Array, (await a.run({ x })).y.data as Float32Array, 1e-5)
    }
    await Promise.all([a.release(), b.release()])
  })

  test('an embedding learns the same table', async () => {
    const definition: NetworkDefinition = {
      inputs: { ids: { type: 'int32', shape: [3] } },
      targets: { target: { type: 'float32', shape: [2] } },
      forward: (net, { ids }) => linear(net, flatten(net.g, embedding(net, ids, 10, 4)), 2),
      loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target),
    }
    const ids: Tensor = { type: 'int32', shape: [4, 3], data: Int32Array.of(1, 2, 3, 1, 2, 2, 7, 8, 9, 9, 9, 8) }
    const target = f32([4, 2], [1, 0, 1, 0, 0, 1, 0, 1])
    const tables = []
    for (const engine of [onnx, tf]) {
      const trainer = await createTrainer(engine, definition, { batch: 4, optimizer: adamW() })
      const training = await trainer.start(Rng.fromSeed(5))
      for (let i = 0; i < 20; i++) await training.step({ ids, target }, { lr: 0.03 })
      tables.push((await training.weights())['embedding_1.weight'])
      await training.release()
      await trainer.release()
    }
    expectClose(tables[1], tables[0], 1e-4)
  })

  test('dropout draws the same mask, bit for bit', async () => {
    const masks = []
    for (const engine of [onnx, tf]) {
      const definition: NetworkDefinition = {
        inputs: { x: { type: 'float32', shape: [300] } },
        targets: { target: { type: 'float32', shape: [300] } },
        // The gradient of sum(w * dropout(x)) over ones is the mask, summed over the batch.
        forward: (net, { x }) =>
          mul(
            net.g,
            dropout(net, x, 0.3),
            net.parameter('w', [300], (_, s) => new Float32Array(s[0]).fill(1)),
          ),
        loss: (g, y, { target }) => g.op('ReduceSum', [mul(g, y, target)], { keepdims: 0 }),
      }
      const trainer = await createTrainer(engine, definition, { batch: 1, optimizer: sgd() })
      const training = await trainer.start(Rng.fromSeed(4))
      const ones = f32([1, 300], Array(300).fill(1))
      await training.step({ x: ones, target: ones }, { lr: 1, momentum: 0 })
      masks.push((await training.weights()).w)
      await training.release()
      await trainer.release()
    }
    expect(masks[1]).toEqual(masks[0])
    expect(new Set(masks[0]).size).toBe(2)
  })
})

describe('tensors', () => {
  test('nothing is left after many runs, failed ones included, and release', async () => {
    const before = tfjs.memory()
    const engine = await createTfjsEngine()
    const trainer = await createTrainer(engine, convNet, { batch: 4, optimizer: adamW(), ema: true })
    const training = await trainer.start(Rng.fromSeed(1))
    const batch = levels(Rng.fromSeed(2), 4, [2, 6, 6])
    await training.step(batch)
    await training.predict({ x: batch.x })
    const warm = tfjs.memory()
    expect(warm.numTensors).toBeGreaterThan(before.numTensors + 10)
    for (let i = 0; i < 30; i++) {
      await training.step(batch)
      await training.predict({ x: batch.x })
      const bad = { ...batch, x: f32([4, 2, 6, 6], Array(288).fill(Number.NaN)) }
      await expect(training.step(bad)).rejects.toMatchObject({ code: 'NAN_LOSS' })
      await expect(training.step({ x: batch.x })).rejects.toMatchObject({ code: 'ENGINE' })
    }
    expect(tfjs.memory().numTensors).toBe(warm.numTensors)
    expect(tfjs.memory().numDataBuffers).toBe(warm.numDataBuffers)
    expect(engine.usage()).toMatchObject({ executables: 2, uploadedBytes: 0 })
    expect(engine.usage().tensors).toBeGreaterThan(10)
    await training.release()
    await trainer.release()
    expect(engine.usage()).toMatchObject({ tensors: 0, executables: 0 })
    expect(tfjs.memory().numTensors).toBe(before.numTensors)
    expect(tfjs.memory().numDataBuffers).toBe(before.numDataBuffers)
    await engine.close()
  })

  test('an engine that is closed leaves nothing', async () => {
    const before = tfjs.memory().numTensors
    const engine = await createTfjsEngine()
    const g = new GraphBuilder()
    g.output('y', add(g, g.input('x', 'float32', [100]), g.constant(new Float32Array(100), [100])))
    await engine.compile(g.build())
    await engine.reside({ w: f32([2], [1, 2]) })
    await engine.close()
    expect(tfjs.memory().numTensors).toBe(before)
    expect(engine.usage()).toMatchObject({ tensors: 0, executables: 0 })
  })

  test('arrays that callers give and get are their own', async () => {
    const g = new GraphBuilder()
    g.output('y', g.op('Identity', [g.input('x', 'float32', [3])]))
    const run = await tf.compile(g.build())
    const x = f32([3], [1, 2, 3])
    const { y } = await run.run({ x })
    ;(y.data as Float32Array)[0] = 9
    expect([...(x.data as Float32Array)]).toEqual([1, 2, 3])
    const state = await tf.reside({ w: x })
    ;(x.data as Float32Array)[0] = 7
    expect([...((await state.read(['w'])).w.data as Float32Array)]).toEqual([1, 2, 3])
    const into = { y: f32([3], [0, 0, 0]) }
    expect((await run.run({ x }, into)).y).toBe(into.y)
    expect([...(into.y.data as Float32Array)]).toEqual([7, 2, 3])
    await run.release()
    await state.release()
  })
})

describe('integers', () => {
  test('int32 wraps, int64 is exact beyond 32 bits, bytes stay bytes', async () => {
    const g = new GraphBuilder()
    const a = g.input('a', 'int32', [2])
    const b = g.input('b', 'int64', [2])
    const c = g.input('c', 'uint8', [2])
    g.output('wrapped', mul(g, a, a))
    g.output('key', g.op('Mod', [mul(g, b, 350_377), g.scalar(2_097_143, 'int64')]))
    g.output('wide', mul(g, b, 350_377))
    g.output('bytes', add(g, c, c))
    const run = await tf.compile(g.build())
    const result = await run.run({
      a: { type: 'int32', shape: [2], data: Int32Array.of(0x7fffffff, 123_456_789) },
      b: { type: 'int64', shape: [2], data: BigInt64Array.of(1_000_003n, 5n) },
      c: { type: 'uint8', shape: [2], data: Uint8Array.of(200, 3) },
    })
    expect([...(result.wrapped.data as Int32Array)]).toEqual([1, Math.imul(123_456_789, 123_456_789)])
    expect([...(result.wide.data as BigInt64Array)]).toEqual([1_000_003n * 350_377n, 5n * 350_377n])
    expect([...(result.key.data as BigInt64Array)]).toEqual([
      (1_000_003n * 350_377n) % 2_097_143n,
      (5n * 350_377n) % 2_097_143n,
    ])
    expect([...(result.bytes.data as Uint8Array)]).toEqual([144, 6])
    await run.release()
  })
})

describe('errors', () => {
  test('a wrong feed names the input, what was received and what is needed', async () => {
    const g = new GraphBuilder()
    g.output('y', relu(g, g.input('x', 'float32', ['n', 2])))
    const run = await tf.compile(g.build())
    await expect(run.run({ x: f32([1, 3], [0, 0, 0]) })).rejects.toThrow(
      'input x: received float32[1, 3]; must be float32[n, 2]',
    )
    await expect(run.run({})).rejects.toThrow('input x float32[n, 2] is not fed')
    await run.release()
  })

  test('a failing operator is named with its inputs and their shapes', async () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', ['n', 2])
    const y = g.input('y', 'float32', ['m', 2])
    g.output('z', add(g, x, y))
    const run = await tf.compile(g.build())
    const feeds = { x: f32([2, 2], [0, 0, 0, 0]), y: f32([3, 2], [0, 0, 0, 0, 0, 0]) }
    await expect(run.run(feeds)).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringContaining('tfjs cannot run Add(x float32[2, 2], y float32[3, 2]) -> z: '),
    })
    await run.release()
  })

  test('an index outside the table is refused', async () => {
    const g = new GraphBuilder()
    g.output('y', gather(g, g.input('x', 'float32', [2, 3]), g.input('i', 'int64', [1])))
    const run = await tf.compile(g.build())
    const feeds = { x: f32([2, 3], [0, 0, 0, 0, 0, 0]), i: { type: 'int64', shape: [1], data: BigInt64Array.of(5n) } }
    await expect(run.run(feeds as never)).rejects.toThrow(
      /Gather\(x float32\[2, 3\], i int64\[1\]\).*index 5 is outside/,
    )
    await run.release()
  })

  test('an operator of onnxruntime alone is named as unsupported', async () => {
    const g = new GraphBuilder()
    g.output('y', g.op('nchwc.ReorderInput', [g.input('x', 'float32', [1, 8, 2, 2])]))
    await expect(tf.compile(g.build())).rejects.toMatchObject({
      code: 'ENGINE',
      message: 'tfjs: unsupported op nchwc.ReorderInput (makes y)',
    })
  })

  test('a resident is changed only by its name and in its shape', async () => {
    const state = await tf.reside({ w: f32([2], [1, 2]) })
    await expect(state.write({ w: f32([3], [1, 2, 3]) })).rejects.toThrow('resident w: received shape [3]; must be [2]')
    await expect(state.read(['v'])).rejects.toThrow('there is no resident v')
    await state.release()
  })
})
