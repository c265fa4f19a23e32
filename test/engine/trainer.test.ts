import { afterAll, describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/engine/engine.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { createTrainer, frozenNetwork, type TrainerState, type Training } from '../../src/engine/trainer.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { flatten, mul } from '../../src/graph/functions.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { embedding, linear } from '../../src/graph/layers/linear.ts'
import { filled } from '../../src/graph/layers/network.ts'
import { batchNorm } from '../../src/graph/layers/normalization.ts'
import { softmaxCrossEntropy, squaredError } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { muon } from '../../src/graph/optimizers/muon.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import type { NetworkDefinition, StepOptions } from '../../src/graph/training-step.ts'
import { AutomlError } from '../../src/support/errors.ts'
import { Rng } from '../../src/support/rng.ts'
import { classifier, convNet, f32, levels, networks } from './small-networks.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

/** A training whose release also releases what was compiled for it. */
async function begin(
  definition: NetworkDefinition,
  { rng, state, ...options }: StepOptions & { rng: Rng; state?: TrainerState },
): Promise<Training> {
  const trainer = await createTrainer(engine, definition, options)
  const training = state ? await trainer.resume(state) : await trainer.start(rng)
  return Object.assign(Object.create(training) as Training, {
    async release() {
      await training.release()
      await trainer.release()
    },
  })
}

/** One weight w with loss mean((w x - t)^2), so that every step has a closed form. */
const line: NetworkDefinition = {
  inputs: { x: { type: 'float32', shape: [1] } },
  targets: { target: { type: 'float32', shape: [1] } },
  forward: (net, { x }) => linear(net, x, 1, { bias: false, init: (_, shape) => new Float32Array(shape[0]).fill(2) }),
  loss: (g, y, { target }) => squaredError(g, y, target),
}
const lineBatch = { x: f32([2, 1], [1, 3]), target: f32([2, 1], [1, 0]) }
/** d/dw mean((w x - t)^2) for x = (1, 3), t = (1, 0). */
const slope = (w: number) => (2 * (1 * (w - 1) + 3 * (3 * w))) / 2

describe('optimizers follow their closed forms', () => {
  test('SGD with Nesterov momentum and weight decay', async () => {
    const trainer = await begin(line, { batch: 2, optimizer: sgd(), rng: Rng.fromSeed(1) })
    let [w, v] = [2, 0]
    for (let i = 0; i < 5; i++) {
      await trainer.step(lineBatch, { lr: 0.02, momentum: 0.8, weightDecay: 0.1 })
      const g = slope(w) + 0.1 * w
      v = 0.8 * v + g
      w -= 0.02 * (g + 0.8 * v)
    }
    expect((await trainer.weights())['linear_1.weight'][0]).toBeCloseTo(w, 5)
    await trainer.release()
  })

  test('AdamW with decoupled decay and bias correction', async () => {
    const trainer = await begin(line, { batch: 2, optimizer: adamW(), rng: Rng.fromSeed(1) })
    let [w, m, v] = [2, 0, 0]
    for (let t = 1; t <= 5; t++) {
      await trainer.step(lineBatch, { lr: 0.05, weightDecay: 0.2 })
      const g = slope(w)
      m = 0.9 * m + 0.1 * g
      v = 0.999 * v + 0.001 * g * g
      w -= 0.05 * (m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8) + 0.2 * w)
    }
    expect((await trainer.weights())['linear_1.weight'][0]).toBeCloseTo(w, 5)
    await trainer.release()
  })

  test('clipping limits the step, and the average moves by 1 - decay', async () => {
    const options = { batch: 2, optimizer: sgd(), rng: Rng.fromSeed(1), clip: true, ema: true }
    const trainer = await begin(line, options)
    await trainer.step(lineBatch, { lr: 0.1, momentum: 0, clipNorm: 0.5, emaDecay: 0.9 })
    expect((await trainer.weights())['linear_1.weight'][0]).toBeCloseTo(2 - 0.1 * 0.5, 6)
    expect((await trainer.weights('average'))['linear_1.weight'][0]).toBeCloseTo(0.9 * 2 + 0.1 * 1.95, 6)
    await trainer.release()
  })
})

test.each([
  ['wide', [8, 12]],
  ['tall', [12, 8]],
  ['a convolution of', [8, 3, 2, 2]],
])('Muon steps by the polar factor of a gradient that is %s %j', async (_, shape) => {
  // loss = sum(w c): its gradient is c, here with singular values 1..8 on a diagonal, so Newton-Schulz acts on each by a polynomial.
  const [rows, cols] = [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)]
  const c = new Float32Array(rows * cols)
  for (let i = 0; i < 8; i++) c[i * cols + i] = i + 1
  const definition: NetworkDefinition = {
    inputs: { x: { type: 'float32', shape } },
    targets: { target: { type: 'float32', shape: [1] } },
    forward: (net, { x }) => mul(net.g, x, net.parameter('w', shape, filled(2))),
    loss: (g, y) => g.op('ReduceSum', [y], { keepdims: 0 }),
  }
  const trainer = await begin(definition, { batch: 1, optimizer: muon(), rng: Rng.fromSeed(1) })
  await trainer.step({ x: f32([1, ...shape], c), target: f32([1, 1], [0]) }, { lr: 0.1, weightDecay: 0.5 })
  const { w } = await trainer.weights()
  const norm = Math.sqrt(204)
  for (let at = 0; at < w.length; at++) {
    let s = c[at] / norm
    for (let i = 0; i < 3; i++) s = 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5
    expect(w[at]).toBeCloseTo(2 * (1 - 0.1 * 0.5) - 0.1 * Math.sqrt(Math.max(rows, cols)) * s, 5)
  }
  await trainer.release()
})

test('Muon leaves what is no matrix between hidden layers to AdamW', async () => {
  const definition = classifier([3], (net, { x }) => linear(net, x, 2))
  const batch = levels(Rng.fromSeed(2), 4, [3])
  const weights = []
  for (const optimizer of [muon(), adamW()]) {
    const trainer = await begin(definition, { batch: 4, optimizer, rng: Rng.fromSeed(1) })
    for (let i = 0; i < 3; i++) await trainer.step(batch, { lr: 0.05, weightDecay: 0.2 })
    weights.push(await trainer.weights())
    await trainer.release()
  }
  expect(weights[0]).toEqual(weights[1])
})

test.each(networks)('%s learns two easy classes', async (_, definition) => {
  const rng = Rng.fromSeed(3)
  const trainer = await begin(definition, { batch: 16, optimizer: adamW(), rng })
  const { shape } = definition.inputs.x
  let loss = 1
  for (let i = 0; i < 60; i++) loss = await trainer.step(levels(rng, 16, shape), { lr: 0.01 })
  expect(loss).toBeLessThan(0.25)
  const test = levels(rng, 50, shape)
  const logits = (await trainer.predict({ x: test.x })).data as Float32Array
  const right = Array.from({ length: 50 }, (_, i) => logits[2 * i] > logits[2 * i + 1] === test.target.data[2 * i] > 0)
  expect(right.filter(Boolean).length).toBeGreaterThan(45)

  // What is exported gives what is predicted.
  const g = new GraphBuilder()
  const head = frozenNetwork(definition, await trainer.weights())
  g.output('y', head(g, { x: g.input('x', 'float32', ['n', ...shape]) }))
  const exported = await engine.compile(g.build())
  const { y } = await exported.run({ x: test.x })
  ;(y.data as Float32Array).forEach((value, i) => {
    expect(value).toBeCloseTo(logits[i], 4)
  })
  await exported.release()
  await trainer.release()
})

test('an embedding learns which ids go with which class', async () => {
  const definition: NetworkDefinition = {
    inputs: { ids: { type: 'int32', shape: [3] } },
    targets: { target: { type: 'float32', shape: [2] } },
    forward: (net, { ids }) => linear(net, flatten(net.g, embedding(net, ids, 10, 4)), 2),
    loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target),
  }
  const trainer = await begin(definition, { batch: 4, optimizer: adamW(), rng: Rng.fromSeed(5) })
  const ids: Tensor = { type: 'int32', shape: [4, 3], data: Int32Array.of(1, 2, 3, 1, 2, 2, 7, 8, 9, 9, 9, 8) }
  const target = f32([4, 2], [1, 0, 1, 0, 0, 1, 0, 1])
  let loss = 1
  for (let i = 0; i < 60; i++) loss = await trainer.step({ ids, target }, { lr: 0.03 })
  expect(loss).toBeLessThan(0.1)
  await trainer.release()
})

test('the same seed gives the same weights, dropout included, and a saved state goes on as if never stopped', async () => {
  const batches = Array.from({ length: 6 }, (_, i) => levels(Rng.fromSeed(i), 8, [2, 6, 6]))
  const start = (state?: TrainerState) =>
    begin(convNet, {
      batch: 8,
      optimizer: sgd(),
      rng: Rng.fromSeed(9),
      ema: true,
      ...(state && { state }),
    })
  const whole = await start()
  for (const batch of batches) await whole.step(batch)
  const first = await start()
  for (const batch of batches.slice(0, 3)) await first.step(batch)
  const second = await start(await first.state())
  for (const batch of batches.slice(3)) await second.step(batch)
  expect(second.steps).toBe(6)
  expect(await second.state()).toEqual(await whole.state())
  await Promise.all([whole, first, second].map((trainer) => trainer.release()))
})

test('batch norm tracks running statistics of its input', async () => {
  const definition = classifier([3], (net, { x }) => linear(net, batchNorm(net, x, { momentum: 0.5 }), 2))
  const trainer = await begin(definition, { batch: 4, optimizer: sgd(), rng: Rng.fromSeed(2) })
  const x = f32([4, 3], [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0])
  await trainer.step({ x, target: f32([4, 2], [1, 0, 0, 1, 1, 0, 0, 1]) })
  const weights = await trainer.weights()
  expect(weights['batchNorm_1.mean'][0]).toBeCloseTo(0.5 * 2.5, 5)
  expect(weights['batchNorm_1.variance'][0]).toBeCloseTo(0.5 * 1 + 0.5 * 1.25, 5)
  await trainer.release()
})

test('a loss that is not finite is an error of its own and leaves the weights alone', async () => {
  const trainer = await begin(line, { batch: 2, optimizer: sgd(), rng: Rng.fromSeed(1) })
  const bad = { ...lineBatch, x: f32([2, 1], [Number.NaN, 1]) }
  const error = await trainer.step(bad).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(AutomlError)
  expect((error as AutomlError).code).toBe('NAN_LOSS')
  expect((await trainer.weights())['linear_1.weight'][0]).toBe(2)
  await trainer.release()
})

test('dropout keeps the stated share, scales it, and changes with the seed', async () => {
  const definition: NetworkDefinition = {
    inputs: { x: { type: 'float32', shape: [400] } },
    targets: { target: { type: 'float32', shape: [400] } },
    // The gradient of sum(w * dropout(x)) is the dropped x itself.
    forward: (net, { x }) =>
      net.g.op('Mul', [dropout(net, x, 0.3), net.parameter('w', [400], (_, s) => new Float32Array(s[0]).fill(1))]),
    loss: (g, y, { target }) => g.op('ReduceSum', [g.op('Mul', [y, target])], { keepdims: 0 }),
  }
  const trainer = await begin(definition, { batch: 50, optimizer: sgd(), rng: Rng.fromSeed(4) })
  const batch = { x: f32([50, 400], Array(20000).fill(1)), target: f32([50, 400], Array(20000).fill(1)) }
  const first = await trainer.step(batch, { lr: 0 })
  const second = await trainer.step(batch, { lr: 0 })
  for (const loss of [first, second]) expect(Math.abs(loss / 20000 - 1)).toBeLessThan(0.02)
  expect(first).not.toBe(second)
  await trainer.release()
})
