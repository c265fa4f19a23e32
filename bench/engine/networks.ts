// The four reference networks of the engine benchmark, written as a family would write them.
import type { Tensor } from '../../src/engine/engine.ts'
import type { Value } from '../../src/graph/builder.ts'
import { sizeOf } from '../../src/graph/dims.ts'
import { add, flatten, globalMaxPool, maxPool, mul, relu, transpose } from '../../src/graph/functions.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { embedding, linear } from '../../src/graph/layers/linear.ts'
import type { Network } from '../../src/graph/layers/network.ts'
import { batchNorm } from '../../src/graph/layers/normalization.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import type { Optimizer } from '../../src/graph/optimizers/optimizer.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import type { NetworkDefinition } from '../../src/graph/training-step.ts'
import type { Rng } from '../../src/support/rng.ts'

export interface Reference {
  name: string
  batch: number
  definition: NetworkDefinition
  optimizer: Optimizer
  /** Multiply-adds of matrix products and convolutions in one example's forward pass. */
  forwardMacs: number
  /** Those of the first layer where it reads the batch: its input's gradient is not computed. */
  inputMacs: number
}

export const CLASSES = 10
const target = { target: { type: 'float32', shape: [CLASSES] } } as const

function classifier(inputs: NetworkDefinition['inputs'], forward: NetworkDefinition['forward']): NetworkDefinition {
  return { inputs, targets: target, forward, loss: (g, y, t) => softmaxCrossEntropy(g, y, t.target) }
}

/** conv32-conv32-pool-conv64-pool-dense10 on 28x28x1. */
const conv3 = classifier({ x: { type: 'float32', shape: [1, 28, 28] } }, (net, { x }) => {
  const { g } = net
  const a = relu(g, convolution(net, x, 32, [3, 3]))
  const b = maxPool(g, relu(g, convolution(net, a, 32, [3, 3])), [2, 2])
  const c = maxPool(g, relu(g, convolution(net, b, 64, [3, 3])), [2, 2])
  return linear(net, flatten(g, c), CLASSES)
})

function block(net: Network, x: Value, channels: number, pool: boolean): Value {
  const y = relu(net.g, batchNorm(net, convolution(net, x, channels, [3, 3], { bias: false })))
  return pool ? maxPool(net.g, y, [2, 2]) : y
}

/** ResNet-9 as in DAWNBench entries: 64-128-256-512 channels, two residual blocks. */
const resnet9 = classifier({ x: { type: 'float32', shape: [3, 32, 32] } }, (net, { x }) => {
  const { g } = net
  let h = block(net, block(net, x, 64, false), 128, true)
  h = add(g, h, block(net, block(net, h, 128, false), 128, false))
  h = block(net, block(net, h, 256, true), 512, true)
  h = add(g, h, block(net, block(net, h, 512, false), 512, false))
  return mul(g, linear(net, globalMaxPool(g, h), CLASSES), 0.125)
})

export const TOKENS = 20_000
export const LENGTH = 200

/** Embedding 128, three convolutions over 200 tokens, maximum over time. */
const text = classifier({ ids: { type: 'int32', shape: [LENGTH] } }, (net, { ids }) => {
  const { g } = net
  let h = transpose(g, embedding(net, ids, TOKENS, 128), [0, 2, 1])
  for (let i = 0; i < 3; i++) h = relu(g, convolution(net, h, 128, [5]))
  return linear(net, globalMaxPool(g, h), CLASSES)
})

const mlp = classifier({ x: { type: 'float32', shape: [10_000] } }, (net, { x }) => {
  const { g } = net
  const h = relu(g, linear(net, x, 512))
  return linear(net, relu(g, linear(net, h, 512)), CLASSES)
})

export const references: readonly Reference[] = [
  {
    name: 'conv3',
    batch: 64,
    definition: conv3,
    optimizer: adamW(),
    forwardMacs: 784 * 9 * 32 + 784 * 9 * 32 * 32 + 196 * 9 * 32 * 64 + 3136 * 10,
    inputMacs: 784 * 9 * 32,
  },
  {
    name: 'resnet9',
    batch: 128,
    definition: resnet9,
    optimizer: sgd(),
    forwardMacs:
      9 *
      (1024 * 3 * 64 + 1024 * 64 * 128 + 2 * 256 * 128 * 128 + 256 * 128 * 256 + 64 * 256 * 512 + 2 * 16 * 512 * 512),
    inputMacs: 9 * 1024 * 3 * 64,
  },
  {
    name: 'text',
    batch: 64,
    definition: text,
    optimizer: adamW(),
    forwardMacs: 3 * LENGTH * 5 * 128 * 128,
    inputMacs: 0,
  },
  {
    name: 'mlp',
    batch: 256,
    definition: mlp,
    optimizer: adamW(),
    forwardMacs: 10_000 * 512 + 512 * 512 + 5120,
    inputMacs: 10_000 * 512,
  },
]

/** A random batch for a network, [batch, ...]. */
export function randomBatch({ definition, batch }: Reference, rng: Rng): Record<string, Tensor> {
  const out: Record<string, Tensor> = {}
  for (const [name, { type, shape }] of Object.entries(definition.inputs)) {
    const full = [batch, ...shape]
    const length = sizeOf(full)
    const data =
      type === 'int32'
        ? Int32Array.from({ length }, () => rng.below(TOKENS))
        : Float32Array.from({ length }, () => rng.uniform())
    out[name] = { type: type as 'float32', shape: full, data }
  }
  const labels = new Float32Array(batch * CLASSES)
  for (let i = 0; i < batch; i++) labels[i * CLASSES + rng.below(CLASSES)] = 1
  out.target = { type: 'float32', shape: [batch, CLASSES], data: labels }
  return out
}
