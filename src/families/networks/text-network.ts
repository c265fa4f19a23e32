// TextCNN (Kim 2014) with the mean embedding beside it: embeddings, convolutions over 3 and 5 tokens, the maximum of each filter over
// the text, dropout, a linear head. A convolution is one matrix product over neighbouring embeddings laid side by side, because
// products are what CPUs do fastest. x [n, length] compact ids as float32, 0 is padding.
import type { Value } from '../../graph/builder.ts'
import {
  cast,
  concat,
  div,
  greater,
  maximum,
  mul,
  pad,
  reduceMax,
  reduceSum,
  relu,
  reshape,
  slice,
  unsqueeze,
} from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import { embedding, linear } from '../../graph/layers/linear.ts'
import { heNormal, type Network, normal } from '../../graph/layers/network.ts'
import { head } from './layers.ts'

export interface TextNetwork {
  length: number
  /** Compact ids. */
  vocabulary: number
  dims: number
  /** Per width. */
  filters: number
  /** Odd. */
  widths: readonly number[]
  /** Of the embeddings, then of the pooled filters. */
  inputDropout: number
  dropout: number
}

export function textForward(network: TextNetwork, intercepts: Float32Array): (net: Network, x: Value) => Value {
  const features = textFeatures(network)
  return (net, x) => head(net, dropout(net, features(net, x), network.dropout), intercepts)
}

/** x [n, length] -> what the head sees, [n, dims + filters of all widths] */
export function textFeatures(network: Omit<TextNetwork, 'dropout'>): (net: Network, x: Value) => Value {
  const { length, vocabulary, dims, filters, widths } = network
  return (net, x) => {
    const { g } = net
    const mask = unsqueeze(g, cast(g, greater(g, x, 0.5), 'float32'), [2])
    const embedded = embedding(net, cast(g, x, 'int32'), vocabulary, dims, normal(0.1))
    const e = mul(g, dropout(net, embedded, network.inputDropout), mask)
    const count = maximum(g, reduceSum(g, mask, [1]), 1)
    const parts = [div(g, reduceSum(g, e, [1]), count)]
    const reach = Math.floor(Math.max(...widths) / 2)
    const roomy = pad(g, e, [0, reach, 0, 0, reach, 0])
    const moved = Array.from({ length: 2 * reach + 1 }, (_, j) => slice(g, roomy, 1, j, j + length))
    for (const width of widths) {
      const side = Math.floor(width / 2)
      const window = concat(g, moved.slice(reach - side, reach + side + 1), 2)
      const features = linear(net, window, filters, { init: heNormal(width * dims) })
      // After the ReLU nothing is below 0, so masked positions never win.
      parts.push(reduceMax(g, mul(g, relu(g, features), mask), [1]))
    }
    const wide = dims + widths.length * filters
    return g.refine(reshape(g, concat(g, parts, 1), [-1, wide]), [x.shape[0], wide])
  }
}

/** Multiply-adds of one example's forward pass. */
export function textMacs({ length, dims, filters, widths }: Omit<TextNetwork, 'dropout'>): number {
  return widths.reduce((sum, width) => sum + length * dims * filters * width, 0)
}
