// InceptionTime (Ismail Fawaz et al. 2020) thinned: modules of a bottleneck, three long kernels side by side and a pooled branch, a
// residual connection around every three modules, means and maxima over time, a linear head. x [n, channels, steps].
import type { Value } from '../../graph/builder.ts'
import {
  add,
  concat,
  div,
  globalAveragePool,
  globalMaxPool,
  maxPool,
  mul,
  reduceMean,
  relu,
  sqrt,
  sub,
} from '../../graph/functions.ts'
import { convolution } from '../../graph/layers/convolution.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import type { Network } from '../../graph/layers/network.ts'
import { batchNorm } from '../../graph/layers/normalization.ts'
import { head } from './layers.ts'

export interface SeriesNetwork {
  channels: number
  steps: number
  /** Filters per kernel size. */
  filters: number
  modules: number
  dropout: number
  /** Each example's channels are brought to mean 0 and deviation 1 by themselves, where amplitude says nothing. */
  perExample: boolean
  mean: number[]
  deviation: number[]
}

/** Kernel sizes of the paper, shorter where the series is. */
function kernelsFor(steps: number): number[] {
  return [39, 19, 9].map((size) => Math.min(size, Math.max(3, 2 * Math.floor(steps / 4) + 1)))
}

export function seriesForward(network: SeriesNetwork, intercepts: Float32Array): (net: Network, x: Value) => Value {
  const features = seriesFeatures(network)
  return (net, x) => head(net, dropout(net, features(net, x), network.dropout), intercepts)
}

/** x [n, channels, steps] -> what the head sees, [n, 8 * filters] */
export function seriesFeatures(network: Omit<SeriesNetwork, 'dropout'>): (net: Network, x: Value) => Value {
  const { channels, filters, modules } = network
  return (net, x) => {
    const { g } = net
    const vector = (values: number[]) => g.constant(Float32Array.from(values), [1, channels, 1])
    let y = network.perExample
      ? ownScale(net, x)
      : mul(g, sub(g, x, vector(network.mean)), vector(network.deviation.map((d) => 1 / Math.max(1e-12, d))))
    let shortcut = y
    for (let i = 0; i < modules; i++) {
      y = relu(g, batchNorm(net, inception(net, y, network)))
      if (i % 3 === 2) {
        const across = batchNorm(net, convolution(net, shortcut, 4 * filters, [1], { bias: false }))
        y = relu(g, add(g, y, across))
        shortcut = y
      }
    }
    return concat(g, [globalAveragePool(g, y), globalMaxPool(g, y)], 1)
  }
}

function inception(net: Network, x: Value, { filters, steps }: Pick<SeriesNetwork, 'filters' | 'steps'>): Value {
  const { g } = net
  const wide = (x.shape[1] as number) > filters
  const narrow = wide ? convolution(net, x, filters, [1], { bias: false }) : x
  const branches = kernelsFor(steps).map((size) => convolution(net, narrow, filters, [size], { bias: false }))
  const peaks = maxPool(g, x, [3], { strides: 1, pads: 1 })
  branches.push(convolution(net, peaks, filters, [1], { bias: false }))
  return concat(g, branches, 1)
}

function ownScale(net: Network, x: Value): Value {
  const { g } = net
  const centred = sub(g, x, reduceMean(g, x, [2], true))
  return div(g, centred, sqrt(g, add(g, reduceMean(g, mul(g, centred, centred), [2], true), 1e-8)))
}

/** Multiply-adds of one example's forward pass. */
export function seriesMacs(network: Omit<SeriesNetwork, 'dropout'>): number {
  const { channels, steps, filters, modules } = network
  let total = 0
  for (let i = 0; i < modules; i++) {
    const inputs = i === 0 ? channels : 4 * filters
    const narrow = Math.min(inputs, filters)
    total += steps * (inputs * filters * 2 + kernelsFor(steps).reduce((sum, size) => sum + size * narrow * filters, 0))
  }
  return total
}
