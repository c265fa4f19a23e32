// Building blocks of the networks here, in the order of operators that costs least memory traffic on a CPU: pooling comes before
// normalisation and ReLU, which then run on a quarter of the elements (ReLU and a positive scale commute with the maximum).
import type { Value } from '../../graph/builder.ts'
import { gemm, maxPool, relu } from '../../graph/functions.ts'
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

/** Maximum over windows of two along every axis that has two or more elements. */
export function halve(net: Network, x: Value): Value {
  return maxPool(
    net.g,
    x,
    x.shape.slice(2).map((size) => ((size as number) >= 2 ? 2 : 1)),
  )
}

/**
 * The last layer, x [n, in] -> logits [n, K]. It starts with no opinion but the classes' frequencies: rare classes would otherwise
 * spend the first hundreds of steps on their intercept alone.
 * @param intercepts [K]
 */
export function head(net: Network, x: Value, intercepts: Float32Array): Value {
  const name = net.layerName('head')
  const weight = net.parameter(`${name}.weight`, [x.shape[1] as number, intercepts.length], zeros, 'head')
  const bias = net.parameter(`${name}.bias`, [intercepts.length], () => intercepts.slice(), 'bias')
  return gemm(net.g, x, weight, bias)
}
