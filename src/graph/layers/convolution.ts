// Convolution layers over one or more spatial axes, x [n, c, ...space].
import type { Value } from '../builder.ts'
import { conv, type WindowOptions } from '../functions.ts'
import { heNormal, type Initializer, type Network, zeros } from './network.ts'

export interface ConvolutionOptions extends WindowOptions {
  /** Channels are split into this many independent convolutions; equal to the channels it is depthwise. @default 1 */
  group?: number
  /** @default true; say false before batch norm */
  bias?: boolean
  /** @default He normal, gain sqrt(2) */
  init?: Initializer
}

/** `kernel`: one size per spatial axis. Pads default to 'same'. */
export function convolution(
  net: Network,
  x: Value,
  channels: number,
  kernel: readonly number[],
  options: ConvolutionOptions = {},
): Value {
  const name = net.layerName('conv')
  const group = options.group ?? 1
  const inputs = (x.shape[1] as number) / group
  const fanIn = inputs * kernel.reduce((a, b) => a * b, 1)
  const weight = net.parameter(`${name}.weight`, [channels, inputs, ...kernel], options.init ?? heNormal(fanIn))
  const bias = options.bias === false ? null : net.parameter(`${name}.bias`, [channels], zeros, 'bias')
  return conv(net.g, x, weight, bias, { pads: 'same', ...options, group })
}
