// Small networks of every kind of layer, and batches that they can learn, for tests of engines.
import type { Tensor } from '../../src/engine/engine.ts'
import { flatten, globalAveragePool, maxPool, relu } from '../../src/graph/functions.ts'
import { multiHeadAttention } from '../../src/graph/layers/attention.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { linear } from '../../src/graph/layers/linear.ts'
import { batchNorm, groupNorm, layerNorm } from '../../src/graph/layers/normalization.ts'
import { gru, lstm } from '../../src/graph/layers/recurrent.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import type { NetworkDefinition } from '../../src/graph/training-step.ts'
import type { Rng } from '../../src/support/rng.ts'

export const f32 = (shape: number[], data: ArrayLike<number>): Tensor => ({
  type: 'float32',
  shape,
  data: Float32Array.from(data),
})

/** Batches of two classes that differ in level, in any input shape. */
export function levels(rng: Rng, batch: number, shape: readonly number[]) {
  const size = shape.reduce((a, b) => a * b, 1)
  const x = new Float32Array(batch * size)
  const target = new Float32Array(batch * 2)
  for (let i = 0; i < batch; i++) {
    const label = rng.below(2)
    target[2 * i + label] = 1
    for (let k = 0; k < size; k++) x[i * size + k] = rng.normal() + (k % 2 === label ? 1 : -1)
  }
  return { x: f32([batch, ...shape], x), target: f32([batch, 2], target) }
}

export const classifier = (shape: readonly number[], forward: NetworkDefinition['forward']): NetworkDefinition => ({
  inputs: { x: { type: 'float32', shape } },
  targets: { target: { type: 'float32', shape: [2] } },
  forward,
  loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target),
})

export const convNet = classifier([2, 6, 6], (net, { x }) => {
  const h = relu(net.g, batchNorm(net, convolution(net, x, 8, [3, 3], { bias: false })))
  return linear(net, dropout(net, flatten(net.g, maxPool(net.g, h, [2, 2])), 0.2), 2)
})

export const networks: [string, NetworkDefinition][] = [
  ['a convolutional network with batch norm and dropout', convNet],
  [
    'depthwise and strided convolutions with group norm',
    classifier([4, 6, 6], (net, { x }) => {
      const a = relu(net.g, groupNorm(net, convolution(net, x, 8, [3, 3], { strides: 2, pads: 1 }), 2))
      const b = relu(net.g, convolution(net, a, 8, [3, 3], { group: 8 }))
      return linear(net, globalAveragePool(net.g, b), 2)
    }),
  ],
  [
    'attention with layer norm',
    classifier([5, 8], (net, { x }) => linear(net, flatten(net.g, layerNorm(net, multiHeadAttention(net, x, 2))), 2)),
  ],
  [
    'a bidirectional GRU',
    classifier([5, 3], (net, { x }) => linear(net, gru(net, x, 6, { bidirectional: true }).last, 2)),
  ],
  ['an LSTM', classifier([5, 3], (net, { x }) => linear(net, lstm(net, x, 6).last, 2))],
]
