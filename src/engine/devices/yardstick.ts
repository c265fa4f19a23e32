// The networks that a pair is tried with: a small one whose numbers are compared with the processor's (a convolution, a pooling and two
// linear layers; few operators, since software drivers take seconds to compile the shaders), and one of the size that runs train, which
// is timed.
import type { Value } from '../../graph/builder.ts'
import { flatten, maxPool, relu } from '../../graph/functions.ts'
import { convolution } from '../../graph/layers/convolution.ts'
import { linear } from '../../graph/layers/linear.ts'
import type { Network } from '../../graph/layers/network.ts'
import { softmaxCrossEntropy } from '../../graph/losses.ts'
import type { NetworkDefinition } from '../../graph/training-step.ts'
import { Rng } from '../../support/rng.ts'
import type { Tensor, Tensors } from '../engine.ts'

export interface Task {
  name: string
  definition: NetworkDefinition
  batch: number
  data: Tensors
}

export function smallTask(): Task {
  return task('a small network', 8, [2, 8, 8], 3, (net, x) => {
    const { g } = net
    const h = maxPool(g, relu(g, convolution(net, x, 8, [3, 3])), [2, 2])
    return linear(net, relu(g, linear(net, flatten(g, h), 16)), 3)
  })
}

/** The yardstick's batch, and the multiply-adds of its forward pass for one picture. */
export const YARDSTICK = {
  batch: 64,
  macs: 28 * 28 * 9 * (1 * 32 + 32 * 32) + 14 * 14 * 9 * 32 * 64 + 7 * 7 * 64 * 10,
} as const

export function yardstickTask(): Task {
  return task('the yardstick', YARDSTICK.batch, [1, 28, 28], 10, (net, x) => {
    const { g } = net
    const a = relu(g, convolution(net, x, 32, [3, 3]))
    const b = maxPool(g, relu(g, convolution(net, a, 32, [3, 3])), [2, 2])
    const c = maxPool(g, relu(g, convolution(net, b, 64, [3, 3])), [2, 2])
    return linear(net, flatten(g, c), 10)
  })
}

function task(
  name: string,
  batch: number,
  shape: readonly number[],
  classes: number,
  forward: (net: Network, x: Value) => Value,
): Task {
  const rng = Rng.fromSeed(1).split(name)
  const size = shape.reduce((a, b) => a * b, 1)
  const x: Tensor = {
    type: 'float32',
    shape: [batch, ...shape],
    data: Float32Array.from({ length: batch * size }, () => rng.normal()),
  }
  const target: Tensor = { type: 'float32', shape: [batch, classes], data: new Float32Array(batch * classes) }
  for (let i = 0; i < batch; i++) target.data[i * classes + (i % classes)] = 1
  const definition: NetworkDefinition = {
    inputs: { x: { type: 'float32', shape } },
    targets: { target: { type: 'float32', shape: [classes] } },
    forward: (net, inputs) => forward(net, inputs.x),
    loss: (g, logits, targets) => softmaxCrossEntropy(g, logits, targets.target),
  }
  return { name, definition, batch, data: { x, target } }
}
