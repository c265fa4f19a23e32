// Convolutions and transposed convolutions: strides, dilations, pads, groups, one to three axes, with channels that fill the blocks
// of 8 or 16 that a processor's blocked layout wants and with channels that do not.
import { conv, relu, type WindowOptions } from '../../../src/graph/functions.ts'
import type { GraphCase } from '../graph-case.ts'

type Row = [what: string, x: readonly number[], w: readonly number[], options: WindowOptions & { group?: number }]

const rows: Row[] = [
  ['3x3, same', [2, 2, 5, 4], [3, 2, 3, 3], { pads: 'same' }],
  ['no pads', [2, 2, 5, 4], [3, 2, 2, 3], {}],
  ['stride 2 with a remainder', [2, 2, 6, 5], [3, 2, 3, 3], { strides: 2, pads: 1 }],
  ['uneven strides', [1, 2, 7, 6], [2, 2, 3, 2], { strides: [3, 2], pads: [1, 0, 2, 1] }],
  ['dilation and uneven pads', [1, 2, 7, 6], [2, 2, 2, 3], { dilations: 2, pads: [1, 2, 0, 1] }],
  ['stride and dilation', [1, 2, 9, 8], [2, 2, 3, 2], { strides: 2, dilations: 2, pads: 2 }],
  ['stride 3 that skips elements', [1, 1, 8, 8], [2, 1, 2, 2], { strides: 3 }],
  ['1x1', [2, 3, 4, 4], [2, 3, 1, 1], {}],
  ['1x1, stride 2', [2, 3, 4, 4], [2, 3, 1, 1], { strides: 2 }],
  ['kernel as large as the input', [2, 2, 3, 3], [4, 2, 3, 3], {}],
  ['one axis', [2, 3, 7], [2, 3, 3], { pads: 'same' }],
  ['one axis, stride and dilation', [2, 2, 9], [2, 2, 3], { pads: [1, 2], strides: 2, dilations: 2 }],
  ['one axis, causal', [2, 2, 6], [3, 2, 3], { pads: [2, 0] }],
  ['three axes', [1, 2, 3, 4, 3], [2, 2, 2, 3, 2], { pads: [0, 1, 1, 1, 1, 0] }],
  ['groups', [2, 4, 4, 4], [6, 2, 3, 3], { pads: 1, group: 2 }],
  ['depthwise', [2, 3, 5, 5], [3, 1, 3, 3], { pads: 1, group: 3 }],
  ['depthwise, stride 2', [2, 3, 5, 5], [3, 1, 3, 3], { pads: 1, group: 3, strides: 2 }],
  ['depthwise with two filters each', [2, 3, 4, 4], [6, 1, 3, 3], { pads: 1, group: 3 }],
  ['depthwise, one axis', [2, 4, 6], [4, 1, 3], { pads: 'same', group: 4 }],
  ['blocks of channels, 3x3', [16, 16, 4, 4], [16, 16, 3, 3], { pads: 1 }],
  ['blocks of channels, stride 2', [16, 16, 5, 5], [16, 16, 3, 3], { pads: 1, strides: 2 }],
  ['blocks of channels from one', [16, 1, 4, 4], [16, 1, 3, 3], { pads: 1 }],
  ['blocks of channels, one axis', [16, 16, 6], [16, 16, 3], { pads: 'same' }],
  ['blocks of channels, depthwise', [2, 16, 4, 4], [16, 1, 3, 3], { pads: 1, group: 16 }],
]

const transposed: [string, readonly number[], readonly number[], Record<string, number | readonly number[]>][] = [
  ['plain', [2, 3, 3, 3], [3, 2, 2, 2], {}],
  ['stride 2 with pads', [2, 3, 3, 3], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }],
  [
    'stride 2, output padding',
    [1, 2, 3, 3],
    [2, 2, 3, 3],
    { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  ],
  ['dilation', [1, 2, 3, 3], [2, 2, 2, 2], { dilations: [2, 2] }],
  ['one axis', [2, 2, 4], [2, 3, 3], { strides: [2] }],
  ['groups', [1, 4, 3, 3], [4, 2, 2, 2], { group: 2 }],
]

/** The rows of the table above without bias; blocked ones are too large for finite differences of every element. */
export const convolutionCases: readonly GraphCase[] = [
  ...rows.map(
    ([what, x, w, options]): GraphCase => ({
      op: 'Conv',
      what,
      inputs: [{ shape: x }, { shape: w }],
      build: (g, [a, b]) => conv(g, a, b, null, options),
      slack: what.startsWith('blocks') ? 2 : 1,
    }),
  ),
  ...(['3x3, same', 'blocks of channels, 3x3', 'one axis'] as const).map((what): GraphCase => {
    const [, x, w, options] = rows.find(([name]) => name === what)!
    return {
      op: 'Conv',
      what: `${what}, bias and ReLU`,
      inputs: [{ shape: x }, { shape: w }, { shape: [w[0]] }],
      build: (g, [a, b, c]) => relu(g, conv(g, a, b, c, options)),
      slack: 2,
      smooth: false,
    }
  }),
  {
    op: 'Conv',
    what: 'an unknown batch',
    inputs: [{ shape: [3, 2, 4, 4], symbols: { 0: 'n' } }, { shape: [2, 2, 3, 3] }],
    build: (g, [x, w]) => conv(g, x, w, null, { pads: 1 }),
  },
  ...['SAME_UPPER', 'SAME_LOWER'].map(
    (auto_pad): GraphCase => ({
      op: 'Conv',
      what: auto_pad,
      inputs: [{ shape: [1, 2, 5, 6] }, { shape: [2, 2, 2, 3] }],
      build: (g, [x, w]) => g.op('Conv', [x, w], { auto_pad, strides: [2, 1], kernel_shape: [2, 3] }),
      gradient: false,
    }),
  ),
  ...transposed.map(
    ([what, x, w, attrs]): GraphCase => ({
      op: 'ConvTranspose',
      what,
      inputs: [{ shape: x }, { shape: w }, { shape: [w[1] * ((attrs.group as number) ?? 1)] }],
      build: (g, [a, b, c]) => g.op('ConvTranspose', [a, b, c], { kernel_shape: w.slice(2), ...attrs }),
      // The gradient rule takes the transposed roles of one group.
      gradient: attrs.group === undefined && attrs.output_padding === undefined,
    }),
  ),
  {
    op: 'FusedConv',
    what: 'bias, a second summand, ReLU',
    inputs: [{ shape: [1, 2, 4, 4] }, { shape: [3, 2, 3, 3] }, { shape: [3] }, { shape: [1, 3, 4, 4] }],
    build: (g, xs) => g.op('FusedConv', xs, { kernel_shape: [3, 3], pads: [1, 1, 1, 1], activation: 'Relu' }),
    gradient: false,
  },
  {
    op: 'channel.Affine',
    what: 'scale, shift and a second summand',
    inputs: [{ shape: [2, 3, 2, 2] }, { shape: [3] }, { shape: [3] }, { shape: [2, 3, 2, 2] }],
    build: (g, xs) => g.op('channel.Affine', xs),
    gradient: false,
  },
  {
    op: 'channel.Affine',
    what: 'two axes',
    inputs: [{ shape: [4, 3] }, { shape: [3] }, { shape: [3] }],
    build: (g, xs) => g.op('channel.Affine', xs),
    gradient: false,
  },
]
