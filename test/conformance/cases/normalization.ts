// Normalisations, fixed and own statistics.
import { type GraphCase, positive } from '../graph-case.ts'

export const normalizationCases: readonly GraphCase[] = [
  ...(
    [
      [2, 3],
      [2, 3, 4],
      [2, 3, 2, 2],
    ] as const
  ).map(
    (shape): GraphCase => ({
      op: 'BatchNormalization',
      what: `fixed statistics, [${shape}]`,
      inputs: [{ shape }, { shape: [3] }, { shape: [3] }],
      build: (g, [x, s, b]) =>
        g.op('BatchNormalization', [x, s, b, g.floats([0.1, 0.2, -0.3]), g.floats([1, 2, 0.5])], { epsilon: 1e-3 }),
    }),
  ),
  {
    op: 'BatchNormalization',
    what: 'the statistics are inputs',
    inputs: [{ shape: [2, 3, 2] }, { shape: [3] }, { shape: [3] }, { shape: [3] }, { shape: [3], fill: positive }],
    build: (g, xs) => g.op('BatchNormalization', xs, { epsilon: 1e-3 }),
    gradient: false,
  },
  ...(
    [
      [2, 3, 4],
      [2, 3, 2, 3],
    ] as const
  ).map(
    (shape): GraphCase => ({
      op: 'InstanceNormalization',
      what: `[${shape}]`,
      inputs: [{ shape }, { shape: [3] }, { shape: [3] }],
      build: (g, xs) => g.op('InstanceNormalization', xs, { epsilon: 1e-3 }),
    }),
  ),
  {
    op: 'LayerNormalization',
    what: 'the last axis',
    inputs: [{ shape: [2, 3, 4] }, { shape: [4] }, { shape: [4] }],
    build: (g, xs) => g.op('LayerNormalization', xs, { axis: -1, epsilon: 1e-3 }),
  },
  {
    op: 'LayerNormalization',
    what: 'two axes, with its statistics',
    inputs: [{ shape: [2, 3, 4] }, { shape: [3, 4] }],
    build: (g, xs) => g.ops('LayerNormalization', xs, { axis: 1, epsilon: 1e-3 }, 3)[0],
  },
  {
    op: 'LayerNormalization',
    what: 'an unknown batch',
    inputs: [{ shape: [3, 5], symbols: { 0: 'n' } }, { shape: [5] }, { shape: [5] }],
    build: (g, xs) => g.op('LayerNormalization', xs, { axis: -1, epsilon: 1e-5 }),
  },
]
