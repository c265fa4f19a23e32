// Pooling: tiles, overlaps, pads, ceil mode, indices, ties, one to three axes.
import { averagePool, globalAveragePool, globalMaxPool, maxPool, relu } from '../../../src/graph/functions.ts'
import { type GraphCase, values } from '../graph-case.ts'

const both = (make: (op: 'MaxPool' | 'AveragePool') => GraphCase): GraphCase[] => [make('MaxPool'), make('AveragePool')]
const poolOf = { MaxPool: maxPool, AveragePool: averagePool }

export const poolingCases: readonly GraphCase[] = [
  ...(
    [
      ['tiles', [2, 2, 4, 6], [2, 2], {}],
      ['tiles that leave a rest', [2, 2, 4, 5], [2, 2], {}],
      ['tiles, one axis', [2, 2, 6], [3], {}],
      ['tiles, three axes', [1, 2, 2, 4, 2], [2, 2, 2], {}],
      ['overlapping', [2, 2, 5, 5], [3, 3], { strides: 2 }],
      ['overlapping with pads', [2, 2, 5, 6], [3, 3], { strides: 2, pads: 1 }],
      ['overlapping, one axis, stride 1', [2, 2, 6], [3], { strides: 1, pads: 1 }],
      ['gaps between windows', [1, 2, 7, 7], [2, 2], { strides: 3 }],
      ['blocks of channels, tiles', [16, 16, 4, 4], [2, 2], {}],
    ] as const
  ).flatMap(([what, shape, kernel, options]) =>
    both((op) => ({
      op,
      what,
      inputs: [{ shape }],
      build: (g, [x]) => poolOf[op](g, x, kernel, options),
    })),
  ),
  ...both((op) => ({
    op,
    what: 'ceil mode',
    inputs: [{ shape: [1, 2, 5, 6] }],
    build: (g, [x]) => g.op(op, [x], { kernel_shape: [3, 2], strides: [2, 2], pads: [0, 0, 0, 0], ceil_mode: 1 }),
    gradient: false,
  })),
  {
    op: 'AveragePool',
    what: 'pads count',
    inputs: [{ shape: [1, 2, 5, 6] }],
    build: (g, [x]) =>
      g.op('AveragePool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  },
  {
    op: 'AveragePool',
    what: 'dilated',
    inputs: [{ shape: [1, 2, 6, 6] }],
    build: (g, [x]) => g.op('AveragePool', [x], { kernel_shape: [2, 2], dilations: [2, 2], strides: [1, 1] }),
  },
  {
    op: 'MaxPool',
    what: 'dilated',
    inputs: [{ shape: [1, 2, 6, 6] }],
    build: (g, [x]) => g.op('MaxPool', [x], { kernel_shape: [2, 2], dilations: [2, 2], strides: [1, 1] }),
  },
  {
    op: 'MaxPool',
    what: 'places of the maxima',
    inputs: [{ shape: [2, 2, 4, 5] }],
    build: (g, [x]) => g.ops('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }, 2)[0],
  },
  {
    op: 'MaxPool',
    what: 'ties share the gradient',
    inputs: [{ shape: [1, 1, 4, 4], fill: values(1, 1, 0, 2) }],
    build: (g, [x]) => maxPool(g, x, [2, 2]),
    smooth: false,
  },
  {
    op: 'MaxPool',
    what: 'after a ReLU, blocks of channels, ties at zero',
    inputs: [{ shape: [8, 16, 4, 4] }],
    build: (g, [x]) => maxPool(g, relu(g, x), [2, 2]),
    smooth: false,
  },
  {
    op: 'MaxPool',
    what: 'an unknown batch',
    inputs: [{ shape: [3, 2, 4, 4], symbols: { 0: 'n' } }],
    build: (g, [x]) => maxPool(g, x, [2, 2]),
  },
  {
    op: 'grad.MaxPoolTiles',
    what: 'windows of 2x3',
    inputs: [{ shape: [1, 2, 4, 6] }, { shape: [1, 2, 2, 2] }],
    build: (g, [x, dy]) => g.op('grad.MaxPoolTiles', [x, maxPool(g, x, [2, 3]), dy], { kernel_shape: [2, 3] }),
    gradient: false,
  },
  ...[1, 2, 3].map(
    (p): GraphCase => ({
      op: 'LpPool',
      what: `p ${p}`,
      inputs: [{ shape: [1, 2, 4, 6] }],
      build: (g, [x]) => g.op('LpPool', [x], { kernel_shape: [2, 2], strides: [2, 2], p }),
      gradient: false,
    }),
  ),
  ...['GlobalAveragePool', 'GlobalMaxPool'].flatMap((op) =>
    (
      [
        [2, 3, 4],
        [2, 3, 4, 2],
      ] as const
    ).map(
      (shape): GraphCase => ({
        op,
        what: `[${shape}]`,
        inputs: [{ shape }],
        build: (g, [x]) => g.op(op, [x]),
      }),
    ),
  ),
  {
    op: 'GlobalMaxPool',
    what: 'as a reduction, ties',
    inputs: [{ shape: [2, 2, 3], fill: values(1, 1, 0) }],
    build: (g, [x]) => globalMaxPool(g, x),
    smooth: false,
  },
  {
    op: 'GlobalAveragePool',
    what: 'as a reduction',
    inputs: [{ shape: [2, 2, 3, 3] }],
    build: (g, [x]) => globalAveragePool(g, x),
  },
]
