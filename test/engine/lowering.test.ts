// The blocked layout gives what plain operators give: whole training steps, lowered both ways, must agree in the loss and in every
// next weight, on shapes that fill blocks and on shapes that do not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/engine/engine.ts'
import { blockSize } from '../../src/engine/onnx/block-size.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { sizeOf } from '../../src/graph/dims.ts'
import {
  add,
  averagePool,
  concat,
  flatten,
  globalAveragePool,
  globalMaxPool,
  greater,
  leakyRelu,
  maxPool,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  transpose,
  where,
} from '../../src/graph/functions.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { linear } from '../../src/graph/layers/linear.ts'
import { batchNorm } from '../../src/graph/layers/normalization.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import { lower, needsLowering } from '../../src/graph/lowering/lower.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import { buildEvaluation, buildTrainingStep, type NetworkDefinition } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'

// Neither lowers any further than the test does.
const engine = createOnnxEngine({ threads: 2, blocked: false })
afterAll(() => engine.close())

let block: 0 | 8 | 16 = 0
beforeAll(async () => {
  block = await blockSize()
})

const BATCH = 16

interface Case {
  title: string
  shape: readonly number[]
  forward: NetworkDefinition['forward']
  /** Operators that must appear in the blocked graph, or `none`. */
  uses?: string[]
  /** Transposes that must not. */
  avoids?: string[]
}

const CONV = 'nchwc.Conv'

const cases: Case[] = [
  {
    title: 'two convolutions and a pool',
    shape: [16, 8, 8],
    uses: [CONV, 'nchwc.MaxPool', 'nchwc.Upsample'],
    forward: (net, { x }) => {
      const h = relu(net.g, convolution(net, relu(net.g, convolution(net, x, 32, [3, 3])), 16, [3, 3]))
      return linear(net, flatten(net.g, maxPool(net.g, h, [2, 2])), 3)
    },
  },
  {
    title: 'one input channel, batch norm, no bias',
    shape: [1, 9, 7],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = relu(net.g, batchNorm(net, convolution(net, x, 16, [3, 3], { bias: false })))
      const b = relu(net.g, batchNorm(net, convolution(net, a, 32, [3, 3], { bias: false })))
      return linear(net, globalMaxPool(net.g, b), 3)
    },
  },
  {
    title: 'three input channels, stride 2, kernel 5',
    shape: [3, 11, 8],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = leakyRelu(net.g, convolution(net, x, 16, [5, 5], { strides: 2, pads: 2 }))
      const b = relu(net.g, convolution(net, a, 16, [3, 3], { strides: 2, pads: 1 }))
      return linear(net, globalAveragePool(net.g, b), 3)
    },
  },
  {
    title: 'dilation, uneven pads, no pads, 1x1',
    shape: [16, 9, 10],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = relu(net.g, convolution(net, x, 16, [3, 3], { dilations: 2, pads: [2, 1, 0, 2] }))
      const b = relu(net.g, convolution(net, a, 16, [2, 3], { pads: 0 }))
      return linear(net, flatten(net.g, averagePool(net.g, convolution(net, b, 16, [1, 1]), [2, 2])), 3)
    },
  },
  {
    title: 'depthwise and pointwise',
    shape: [16, 6, 6],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = relu(net.g, convolution(net, x, 16, [3, 3], { group: 16 }))
      return linear(net, globalAveragePool(net.g, relu(net.g, convolution(net, a, 32, [1, 1]))), 3)
    },
  },
  {
    title: 'one axis',
    shape: [16, 12],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = relu(net.g, convolution(net, x, 32, [5]))
      const b = maxPool(net.g, relu(net.g, convolution(net, a, 16, [3], { dilations: 2 })), [2])
      return linear(net, globalMaxPool(net.g, b), 3)
    },
  },
  {
    title: 'residual, concatenation, slices and channel gates',
    shape: [16, 6, 6],
    uses: [CONV],
    forward: (net, { x }) => {
      const { g } = net
      const a = relu(g, convolution(net, x, 16, [3, 3]))
      const b = add(g, a, convolution(net, a, 16, [3, 3]))
      const both = convolution(net, concat(g, [a, b], 1), 32, [3, 3])
      const gate = reshape(g, sigmoid(g, linear(net, globalAveragePool(g, both), 32)), [both.shape[0], 32, 1, 1])
      return linear(net, globalAveragePool(g, slice(g, mul(g, both, gate), 1, 0, 16)), 3)
    },
  },
  {
    title: 'overlapping pools and a convolution in groups',
    shape: [16, 8, 8],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = maxPool(net.g, relu(net.g, convolution(net, x, 32, [3, 3])), [3, 3], { strides: 2, pads: 1 })
      const b = convolution(net, a, 32, [3, 3], { group: 4 })
      return linear(net, flatten(net.g, averagePool(net.g, b, [3, 3], { strides: 1, pads: 1 })), 3)
    },
  },
  {
    title: 'truth values that leave the layout',
    shape: [16, 6, 6],
    uses: [CONV],
    forward: (net, { x }) => {
      const { g } = net
      const positive = greater(g, convolution(net, x, 16, [3, 3]), 0)
      const rows = reshape(
        g,
        where(g, reshape(g, positive, [x.shape[0], 16, 36]), reshape(g, x, [x.shape[0], 16, 36]), 0),
        [x.shape[0], 576],
      )
      return linear(net, rows, 3)
    },
  },
  {
    title: 'channels-last rows in and out',
    shape: [12, 16],
    uses: [CONV],
    avoids: ['Transpose 0,2,1'],
    forward: (net, { x }) => {
      const { g } = net
      const rows = reshape(g, linear(net, reshape(g, x, [-1, 16]), 16), [x.shape[0], 12, 16])
      return linear(net, globalMaxPool(g, relu(g, convolution(net, transpose(g, rows, [0, 2, 1]), 32, [3]))), 3)
    },
  },
  {
    title: 'batch norm over one axis, kernel of size 1, leftover rows of a stride',
    shape: [8, 13],
    uses: [CONV],
    forward: (net, { x }) => {
      const a = relu(net.g, batchNorm(net, convolution(net, x, 16, [1], { bias: false })))
      const b = relu(net.g, batchNorm(net, convolution(net, a, 24, [4], { strides: 3, pads: 0, bias: false })))
      return linear(net, globalAveragePool(net.g, b), 3)
    },
  },
  {
    title: 'channels that do not fill blocks',
    shape: [5, 6, 6],
    forward: (net, { x }) => {
      const a = relu(net.g, batchNorm(net, convolution(net, x, 12, [3, 3])))
      return linear(net, flatten(net.g, maxPool(net.g, convolution(net, a, 20, [3, 3]), [2, 2])), 3)
    },
  },
]

const definitionOf = ({ shape, forward }: Case): NetworkDefinition => ({
  inputs: { x: { type: 'float32', shape } },
  targets: { target: { type: 'float32', shape: [3] } },
  forward,
  loss: (g, y, { target }) => softmaxCrossEntropy(g, y, target),
})

function randomFeeds(graph: Graph): Record<string, Tensor> {
  const rng = Rng.fromSeed(11)
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }): [string, Tensor] => {
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : 5))
      // Variances must be positive; a few equal numbers make ties for the pools.
      const level = name.includes('.weight') ? 0.1 : 1
      const drawn = () => (rng.uniform() < 0.1 ? 0.5 : rng.normal())
      const draw = () => (name.includes('variance') ? 0.5 + rng.uniform() : level * drawn())
      const data = Float32Array.from({ length: sizeOf(sizes) }, draw)
      return [name, { type: 'float32', shape: sizes, data: sizes.length === 0 ? Float32Array.of(0.1) : data }]
    }),
  )
}

async function expectEqual(graph: Graph, uses: readonly string[], avoids: readonly string[] = []): Promise<void> {
  const blocked = lower(graph, { block })
  const present = new Set(blocked.nodes.map((node) => node.op))
  expect([...present].filter((op) => op.startsWith('grad.') || op.startsWith('channel.'))).toEqual([])
  if (block > 0) expect(uses.filter((op) => !present.has(op))).toEqual([])
  if (block > 0)
    expect(avoids.filter((op) => blocked.nodes.some((node) => op === `${node.op} ${node.attrs.perm}`))).toEqual([])
  const feeds = randomFeeds(graph)
  const outputs: Record<string, Tensor>[] = []
  for (const form of [lower(graph, { block: 0 }), blocked]) {
    const run = await engine.compile(form)
    outputs.push(await run.run(feeds))
    await run.release()
  }
  const [plain, other] = outputs
  for (const { name } of graph.outputs) {
    expect(other[name].shape, name).toEqual(plain[name].shape)
    const expected = plain[name].data as Float32Array
    const scale = Math.max(1e-3, ...expected.map(Math.abs))
    const received = other[name].data as Float32Array
    expect(Math.max(...expected.map((value, i) => Math.abs(value - received[i]))) / scale, name).toBeLessThan(2e-5)
  }
}

describe('blocked layout equals plain operators', () => {
  test.each(cases)('in a training step: $title', async (c) => {
    if (block === 0) console.warn('no blocked operators on this processor: the plain form is compared with itself')
    const step = buildTrainingStep(definitionOf(c), { batch: BATCH, optimizer: sgd() })
    await expectEqual(step.graph, c.uses ?? [], c.avoids)
  })

  test.each(cases)('in evaluation, any number of rows: $title', async (c) => {
    await expectEqual(buildEvaluation(definitionOf(c)), [])
  })
})

test('graphs with constant weights are left to onnxruntime, those with changing weights are lowered', () => {
  const definition = definitionOf(cases[0])
  expect(needsLowering(buildEvaluation(definition))).toBe(true)
  expect(needsLowering(buildTrainingStep(definition, { batch: BATCH, optimizer: sgd() }).graph)).toBe(true)
})
