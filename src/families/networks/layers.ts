// Building blocks of the networks here, in the order of operators that costs least memory traffic on a CPU: pooling comes before
// normalisation and ReLU, which then run on a quarter of the elements (ReLU and a positive scale commute with the maximum).
import type { Value } from '../../graph/builder.ts'
import { cast, equal, gemm, maxPool, mul, pad, relu } from '../../graph/functions.ts'
import { convolution } from '../../graph/layers/convolution.ts'
import { type Network, zeros } from '../../graph/layers/network.ts'
import { batchNorm } from '../../graph/layers/normalization.ts'

export interface ConvBlockOptions {
  kernel?: readonly number[]
  strides?: number | readonly number[]
  /** Halve each axis by a maximum after the convolution. @default false */
  pool?: boolean
  /** @default true */
  relu?: boolean
}

/** Convolution, pooling if asked for, batch normalisation, ReLU. x [n, c, ...space] */
export function convBlock(net: Network, x: Value, channels: number, options: ConvBlockOptions = {}): Value {
  const kernel = options.kernel ?? x.shape.slice(2).map(() => 3)
  let y = convolution(net, x, channels, kernel, { bias: false, strides: options.strides ?? 1 })
  if (options.pool) y = halve(net, y)
  y = batchNorm(net, y)
  return options.relu === false ? y : relu(net.g, y)
}

/**
 * Maximum over windows of two along every axis that has two or more elements. The gradient goes to every element that equals
 * its window's maximum: ties are rare before the ReLU, and nearest-neighbour resizing is the engine's fastest way back up.
 */
export function halve(net: Network, x: Value): Value {
  const { g } = net
  const space = x.shape.slice(2) as number[]
  const window = space.map((size) => (size >= 2 ? 2 : 1))
  const y = maxPool(g, x, window)
  if (net.mode === 'infer') return y
  const lost = space.map((size, i) => size - (y.shape[i + 2] as number) * window[i])
  const up = (v: Value): Value => {
    const resized = g.op('Resize', [v, null, g.floats([1, 1, ...window])], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    })
    const grown = g.refine(
      resized,
      v.shape.map((size, i) => (i < 2 ? size : (size as number) * window[i - 2])),
    )
    return pad(g, grown, [0, 0, ...lost.map(() => 0), 0, 0, ...lost])
  }
  g.customGradient({
    inputs: [x],
    outputs: [y],
    rule: ([dy]) => [dy ? mul(g, up(dy), cast(g, equal(g, x, up(y)), 'float32')) : null],
  })
  return y
}

/**
 * The last layer, x [n, in] -> logits [n, K]. It starts with no opinion but the classes' frequencies: rare classes would otherwise
 * spend the first hundreds of steps on their intercept alone.
 * @param intercepts [K]
 */
export function head(net: Network, x: Value, intercepts: Float32Array): Value {
  const name = net.layerName('head')
  const weight = net.parameter(`${name}.weight`, [x.shape[1] as number, intercepts.length], zeros)
  const bias = net.parameter(`${name}.bias`, [intercepts.length], () => intercepts.slice(), 'bias')
  return gemm(net.g, x, weight, bias)
}
