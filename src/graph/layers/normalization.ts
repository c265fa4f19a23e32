// Batch, layer and group normalisation (Ioffe & Szegedy 2015; Ba et al. 2016; Wu & He 2018).
import type { GraphBuilder, Value } from '../builder.ts'
import { productOfDims } from '../dims.ts'
import { add, div, maximum, mul, reduceMean, reduceSum, reshape, sqrt, sub } from '../functions.ts'
import { asChannels } from '../gradients/convolution.ts'
import { type Network, ones, zeros } from './network.ts'

export interface BatchNormOptions {
  /** Weight of the newest batch in the running statistics. @default 0.1 */
  momentum?: number
  /** @default 1e-5 */
  epsilon?: number
}

/** x [n, c, ...] -> the same, normalised per channel. Training uses the batch's statistics and tracks running ones. */
export function batchNorm(net: Network, x: Value, options: BatchNormOptions = {}): Value {
  const { g } = net
  const { momentum = 0.1, epsilon = 1e-5 } = options
  const name = net.layerName('batchNorm')
  const channels = x.shape[1] as number
  const scale = net.parameter(`${name}.scale`, [channels], ones, 'bias')
  const bias = net.parameter(`${name}.bias`, [channels], zeros, 'bias')
  const mean = net.parameter(`${name}.mean`, [channels], zeros, 'statistic')
  const variance = net.parameter(`${name}.variance`, [channels], ones, 'statistic')
  if (net.mode === 'infer') return g.op('BatchNormalization', [x, scale, bias, mean, variance], { epsilon })
  const batch = batchNormTraining(g, x, scale, bias, epsilon)
  net.trackMean(mean, batch.mean, momentum)
  net.trackMean(variance, batch.variance, momentum)
  return batch.y
}

/**
 * y = a x + b with a = scale / deviation, b = bias - a mean; mean and (biased) variance [c] over all axes but the channels.
 * Its gradient, likewise, is dx = a dy + p x + q with three vectors [c] from the sums of dy and dy x: two reductions and two
 * passes, instead of the ten that the rules of the single operators would make.
 */
export function batchNormTraining(
  g: GraphBuilder,
  x: Value,
  scale: Value,
  bias: Value,
  epsilon: number,
): { y: Value; mean: Value; variance: Value } {
  const axes = [...x.shape.keys()].filter((axis) => axis !== 1)
  const mean = reduceMean(g, x, axes)
  const square = reduceMean(g, mul(g, x, x), axes)
  const variance = maximum(g, sub(g, square, mul(g, mean, mean)), 0)
  const r = div(g, 1, sqrt(g, add(g, variance, epsilon)))
  const a = mul(g, scale, r)
  const y = affine(g, x, a, sub(g, bias, mul(g, a, mean)))
  g.customGradient({
    inputs: [x, scale, bias],
    outputs: [y],
    rule: ([dy]) => {
      const total = reduceSum(g, dy!, axes)
      const withX = reduceSum(g, mul(g, dy!, x), axes)
      // sum(dy xh), xh = r (x - mean)
      const withXh = mul(g, r, sub(g, withX, mul(g, mean, total)))
      const count = productOfDims(axes.map((axis) => x.shape[axis]))
      const perElement = typeof count === 'number' ? g.scalar(1 / count) : div(g, 1, elementsPerChannel(g, x))
      const p = mul(g, mul(g, mul(g, a, r), withXh), mul(g, perElement, -1))
      const q = sub(g, mul(g, mul(g, a, total), mul(g, perElement, -1)), mul(g, p, mean))
      const dx = affine(g, dy!, a, q, affine(g, x, p, mul(g, p, 0)))
      return [dx, withXh, total]
    },
  })
  return { y, mean, variance }
}

/** x a + b (+ z) with vectors per channel, in one pass where the executor can. */
function affine(g: GraphBuilder, x: Value, a: Value, b: Value, z: Value | null = null): Value {
  return g.op('channel.Affine', z === null ? [x, a, b] : [x, a, b, z])
}

function elementsPerChannel(g: GraphBuilder, x: Value): Value {
  const size = g.op('Cast', [g.op('Size', [x])], { to: 'float32' })
  return div(g, size, x.shape[1] as number)
}

/** x [..., width], normalised over the last axis. */
export function layerNorm(net: Network, x: Value, epsilon = 1e-5): Value {
  const name = net.layerName('layerNorm')
  const width = x.shape.at(-1) as number
  const scale = net.parameter(`${name}.scale`, [width], ones, 'bias')
  const bias = net.parameter(`${name}.bias`, [width], zeros, 'bias')
  const outputs = net.mode === 'train' ? 3 : 1
  return net.g.ops('LayerNormalization', [x, scale, bias], { axis: -1, epsilon }, outputs)[0]
}

/** x [n, c, ...space], normalised over the channels of each group and all space. */
export function groupNorm(net: Network, x: Value, groups: number, epsilon = 1e-5): Value {
  const { g } = net
  const name = net.layerName('groupNorm')
  const [n, channels, ...space] = x.shape
  const scale = net.parameter(`${name}.scale`, [channels as number], ones, 'bias')
  const bias = net.parameter(`${name}.bias`, [channels as number], zeros, 'bias')
  const one = g.constant(new Float32Array(groups).fill(1), [groups])
  const zero = g.constant(new Float32Array(groups), [groups])
  const grouped = reshape(g, x, [n, groups, -1])
  const normal = g.op('InstanceNormalization', [grouped, one, zero], { epsilon })
  const y = reshape(g, normal, [n, channels, ...space])
  return add(g, mul(g, y, asChannels(g, scale, x.shape.length)), asChannels(g, bias, x.shape.length))
}
