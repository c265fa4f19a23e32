// TextCNN (Kim 2014) with the mean embedding beside it: embeddings, convolutions over 2 to 5 tokens, the maximum of each filter over
// the text, dropout, a linear head. Each convolution is one matrix product with the taps side by side and shifted sums of the
// results, because products are what CPUs do fastest. x [n, length] compact ids as float32, 0 is padding.
import type { Value } from '../../graph/builder.ts'
import {
  add,
  cast,
  concat,
  div,
  greater,
  matmul,
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
import { heNormal, type Network, normal, zeros } from '../../graph/layers/network.ts'

export interface TextNetwork {
  length: number
  /** Compact ids. */
  vocabulary: number
  dims: number
  /** Per convolution width. */
  filters: number
  widths: readonly number[]
  /** Of the embeddings, then of the pooled filters. */
  inputDropout: number
  dropout: number
}

export function textForward(network: TextNetwork, classCount: number): (net: Network, x: Value) => Value {
  const { length, vocabulary, dims, filters, widths } = network
  return (net, x) => {
    const { g } = net
    const mask = unsqueeze(g, cast(g, greater(g, x, 0.5), 'float32'), [2])
    const embedded = embedding(net, cast(g, x, 'int32'), vocabulary, dims, normal(0.1))
    const e = mul(g, dropout(net, embedded, network.inputDropout), mask)
    const count = maximum(g, reduceSum(g, mask, [1]), 1)
    const parts = [div(g, reduceSum(g, e, [1]), count)]
    for (const width of widths) {
      const init = heNormal(width * dims)
      const weight = net.parameter(`${net.layerName('taps')}.weight`, [dims, width * filters], init)
      const bias = net.parameter(`${net.layerName('tapsBias')}.bias`, [filters], zeros, 'bias')
      const taps = matmul(g, e, weight)
      let sum: Value | null = null
      for (let j = 0; j < width; j++) {
        const tap = shifted(net, slice(g, taps, 2, j * filters, (j + 1) * filters), j - Math.floor(width / 2), length)
        sum = sum === null ? tap : add(g, sum, tap)
      }
      // After the ReLU nothing is below 0, so masked positions never win.
      parts.push(reduceMax(g, mul(g, relu(g, add(g, sum!, bias)), mask), [1]))
    }
    const pooled = reshape(g, concat(g, parts, 1), [-1, dims + widths.length * filters])
    return linear(
      net,
      dropout(net, g.refine(pooled, [x.shape[0], dims + widths.length * filters]), network.dropout),
      classCount,
      {
        init: zeros,
      },
    )
  }
}

/** y[:, t] = x[:, t + by], zeros outside. x [n, length, c] */
function shifted(net: Network, x: Value, by: number, length: number): Value {
  const { g } = net
  if (by === 0) return x
  return by > 0
    ? pad(g, slice(g, x, 1, by, null), [0, 0, 0, 0, by, 0])
    : pad(g, slice(g, x, 1, 0, length + by), [0, -by, 0, 0, 0, 0])
}

/** Multiply-adds of one example's forward pass. */
export function textMacs({ length, dims, filters, widths }: TextNetwork): number {
  return widths.reduce((sum, width) => sum + length * dims * filters * width, 0)
}
