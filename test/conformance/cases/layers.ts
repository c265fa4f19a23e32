// Layers in training and in inference form, each beside a closed form of a few lines where it has one.
import { globalAveragePool } from '../../../src/graph/functions.ts'
import { multiHeadAttention } from '../../../src/graph/layers/attention.ts'
import { convolution } from '../../../src/graph/layers/convolution.ts'
import { branchDropout, channelDropout, dropout } from '../../../src/graph/layers/dropout.ts'
import { embedding, linear } from '../../../src/graph/layers/linear.ts'
import { batchNorm, groupNorm, layerNorm } from '../../../src/graph/layers/normalization.ts'
import { gru, lstm, type RecurrentOptions } from '../../../src/graph/layers/recurrent.ts'
import { below, type GraphCase, values } from '../graph-case.ts'
import { layerCase } from './layer-case.ts'

const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0)
const mean = (xs: readonly number[]) => sum(xs) / xs.length
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** Rows x [n, inputs] times the transpose of w [units, inputs] plus bias. */
function affine(x: ArrayLike<number>, w: ArrayLike<number>, b: ArrayLike<number>, inputs: number): number[] {
  const units = b.length
  return range((x.length / inputs) * units).map((at) => {
    const [row, unit] = [Math.floor(at / units), at % units]
    return b[unit] + sum(range(inputs).map((k) => x[row * inputs + k] * w[unit * inputs + k]))
  })
}

/** Groups of elements brought to mean 0 and variance 1. `groupOf` and `channelOf` by flat position. */
function normalised(
  x: ArrayLike<number>,
  groupOf: (at: number) => number,
  channelOf: (at: number) => number,
  scale: ArrayLike<number>,
  bias: ArrayLike<number>,
): number[] {
  const groups = new Map<number, number[]>()
  for (const at of range(x.length)) groups.set(groupOf(at), [...(groups.get(groupOf(at)) ?? []), x[at]])
  return range(x.length).map((at) => {
    const group = groups.get(groupOf(at))!
    const level = mean(group)
    const variance = mean(group.map((v) => (v - level) ** 2))
    return ((x[at] - level) / Math.sqrt(variance + 1e-5)) * scale[channelOf(at)] + bias[channelOf(at)]
  })
}

/** Vaswani et al. 2017, equation 1, per head; x [n, t, width], parameters as linear layers declare them. */
function attention(inputs: readonly ArrayLike<number>[], n: number, t: number, width: number, heads: number): number[] {
  const [x, wq, bq, wk, bk, wv, bv, wo, bo] = inputs
  const [q, k, v] = [affine(x, wq, bq, width), affine(x, wk, bk, width), affine(x, wv, bv, width)]
  const size = width / heads
  const mixed = new Float64Array(n * t * width)
  for (const i of range(n)) {
    for (const head of range(heads)) {
      const at = (step: number, c: number) => (i * t + step) * width + head * size + c
      for (const from of range(t)) {
        const scores = range(t).map(
          (to) => sum(range(size).map((c) => q[at(from, c)] * k[at(to, c)])) / Math.sqrt(size),
        )
        const weights = scores.map((s) => Math.exp(s))
        for (const c of range(size)) {
          mixed[at(from, c)] = sum(weights.map((w, to) => w * v[at(to, c)])) / sum(weights)
        }
      }
    }
  }
  return affine(mixed, wo, bo, width)
}

const lengths = { shape: [3], type: 'int64', fill: values(4, 1, 2) } as const

const recurrentCases: GraphCase[] = (
  [
    ['gru', gru],
    ['lstm', lstm],
  ] as const
).flatMap(([name, layer]) =>
  (['train', 'infer'] as const).flatMap((mode) =>
    (
      [
        [{}, 'forward'],
        [{ bidirectional: true }, 'both directions'],
      ] as [RecurrentOptions, string][]
    ).flatMap(([options, what]) =>
      [false, true].map((withLengths) =>
        layerCase({
          op: `layer ${name}`,
          what: `${what}${withLengths ? ', lengths' : ''}, ${mode}`,
          mode,
          inputs: [{ shape: [3, 4, 2] }, ...(withLengths ? [lengths] : [])],
          forward: (net, [x, valid]) => {
            const { steps, last } = layer(net, x, 3, { ...options, ...(withLengths ? { lengths: valid } : {}) })
            return [steps, last]
          },
          // ONNX's own operators serve inference only.
          gradient: mode === 'train',
          slack: 2,
        }),
      ),
    ),
  ),
)

/** The mask's hash, x (2x + 1) applied twice to rows and to rows and columns, in 32-bit integers. */
function droppedBy(x: ArrayLike<number>, seed: number, perExample: number, places: number, rate: number): number[] {
  const mix = (v: number) => Math.imul(v, (Math.imul(v, 2) + 1) | 0)
  return range(x.length).map((at) => {
    const row = Math.floor(at / perExample)
    const column = Math.floor((at % perExample) / (perExample / places))
    const rowHash = mix(mix((Math.imul(row, 0x1e3779b1) + seed) | 0))
    const salted = (Math.imul(column, 0x05ebca6b) + 0x27d4eb2f) | 0
    const bits = mix(mix((rowHash + salted) | 0))
    return bits < Math.round((0.5 - rate) * 2 ** 32) ? x[at] / (1 - rate) : 0
  })
}

const dropoutCases: GraphCase[] = [
  ...(
    [
      ['elements', dropout, 24],
      ['channels', channelDropout, 4],
      ['branches', branchDropout, 1],
    ] as const
  ).map(([what, layer, places]) =>
    layerCase({
      op: 'layer dropout',
      what: `${what}, train`,
      mode: 'train',
      inputs: [{ shape: [6, 4, 6] }],
      forward: (net, [x]) => layer(net, x, 0.3),
      truth: ([x, seed]) => [droppedBy(x, seed[0], 24, places, 0.3)],
    }),
  ),
  layerCase({
    op: 'layer dropout',
    what: 'an unknown batch draws the same mask, train',
    mode: 'train',
    inputs: [{ shape: [6, 24], symbols: { 0: 'n' } }],
    forward: (net, [x]) => dropout(net, x, 0.3),
    truth: ([x, seed]) => [droppedBy(x, seed[0], 24, 24, 0.3)],
  }),
  layerCase({
    op: 'layer dropout',
    what: 'leaves inference alone',
    mode: 'infer',
    inputs: [{ shape: [3, 4] }],
    forward: (net, [x]) => net.g.op('Identity', [dropout(net, x, 0.3)]),
    truth: ([x]) => [x],
  }),
]

export const layerCases: readonly GraphCase[] = [
  ...recurrentCases,
  ...dropoutCases,
  layerCase({
    op: 'layer linear',
    what: 'rows',
    mode: 'train',
    inputs: [{ shape: [4, 3] }],
    forward: (net, [x]) => linear(net, x, 5),
    truth: ([x, w, b]) => [affine(x, w, b, 3)],
  }),
  layerCase({
    op: 'layer linear',
    what: 'steps of a sequence',
    mode: 'train',
    inputs: [{ shape: [2, 4, 3] }],
    forward: (net, [x]) => linear(net, x, 5),
    truth: ([x, w, b]) => [affine(x, w, b, 3)],
  }),
  layerCase({
    op: 'layer embedding',
    what: 'repeated ids',
    mode: 'train',
    inputs: [{ shape: [3, 4], type: 'int32', fill: below(5) }],
    forward: (net, [ids]) => embedding(net, ids, 7, 2),
    truth: ([ids, table]) => [Array.from(ids).flatMap((id) => [table[2 * id], table[2 * id + 1]])],
    gradient: true,
  }),
  layerCase({
    op: 'layer convolution',
    what: 'bias, pooled to its mean: the kernel sees each inner element once',
    mode: 'train',
    inputs: [{ shape: [2, 3, 4, 5] }],
    forward: (net, [x]) => globalAveragePool(net.g, convolution(net, x, 4, [1, 1])),
    truth: ([x, w, b]) => {
      const level = range(6).map((plane) => mean(Array.from(x.subarray(plane * 20, (plane + 1) * 20))))
      return [
        range(8).map((at) => b[at % 4] + sum(range(3).map((c) => w[(at % 4) * 3 + c] * level[3 * (at >> 2) + c]))),
      ]
    },
  }),
  layerCase({
    op: 'layer convolution',
    what: 'one axis, depthwise, dilated',
    mode: 'train',
    inputs: [{ shape: [2, 4, 9] }],
    forward: (net, [x]) => convolution(net, x, 4, [3], { group: 4, dilations: 2 }),
  }),
  ...(
    [
      [6, 3],
      [4, 3, 5],
      [3, 3, 2, 4],
      [8, 16, 4, 4],
    ] as const
  ).flatMap((shape) => {
    const channels = shape[1]
    const inner = sum([]) + shape.slice(2).reduce((a, b) => a * b, 1)
    const channelOf = (at: number) => Math.floor(at / inner) % channels
    return [
      layerCase({
        op: 'layer batchNorm',
        what: `[${shape}], train, with running statistics`,
        mode: 'train',
        inputs: [{ shape }],
        forward: (net, [x]) => batchNorm(net, x, { momentum: 0.2 }),
        truth: ([x, scale, bias, level, variance]) => {
          const own = range(channels).map((c) => Array.from(x).filter((_, at) => channelOf(at) === c))
          const means = own.map(mean)
          const spreads = own.map((xs, c) => mean(xs.map((v) => (v - means[c]) ** 2)))
          return [
            normalised(x, channelOf, channelOf, scale, bias),
            means.map((m, c) => 0.8 * level[c] + 0.2 * m),
            spreads.map((s, c) => 0.8 * variance[c] + 0.2 * s),
          ]
        },
        slack: 4,
      }),
      layerCase({
        op: 'layer batchNorm',
        what: `[${shape}], inference`,
        mode: 'infer',
        inputs: [{ shape }],
        forward: (net, [x]) => batchNorm(net, x),
      }),
    ]
  }),
  layerCase({
    op: 'layer layerNorm',
    what: 'steps of a sequence',
    mode: 'train',
    inputs: [{ shape: [2, 3, 5] }],
    forward: (net, [x]) => layerNorm(net, x),
    truth: ([x, scale, bias]) => [
      normalised(
        x,
        (at) => Math.floor(at / 5),
        (at) => at % 5,
        scale,
        bias,
      ),
    ],
    slack: 2,
  }),
  layerCase({
    op: 'layer groupNorm',
    what: 'two groups of two channels',
    mode: 'train',
    inputs: [{ shape: [2, 4, 3, 2] }],
    forward: (net, [x]) => groupNorm(net, x, 2),
    truth: ([x, scale, bias]) => [
      normalised(
        x,
        (at) => Math.floor(at / 12),
        (at) => Math.floor(at / 6) % 4,
        scale,
        bias,
      ),
    ],
    slack: 2,
  }),
  layerCase({
    op: 'layer attention',
    what: 'two heads',
    mode: 'train',
    inputs: [{ shape: [2, 3, 4] }],
    forward: (net, [x]) => multiHeadAttention(net, x, 2),
    truth: (inputs) => [attention(inputs, 2, 3, 4, 2)],
    slack: 2,
    // Softmax forgets what all scores of a row share, so biases of keys have no gradient.
    floor: 0.1,
  }),
  layerCase({
    op: 'layer attention',
    what: 'masked steps count for nothing',
    mode: 'train',
    inputs: [{ shape: [2, 3, 4] }, { shape: [2, 3], type: 'bool', fill: values(1, 1, 1, 1, 0, 0) }],
    forward: (net, [x, mask]) => multiHeadAttention(net, x, 2, mask),
    slack: 2,
    floor: 0.1,
  }),
]
