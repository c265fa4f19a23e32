// Movement, repetition, padding, shapes and ranges; static and symbolic sizes.
import { concat, dimOf, expand, flatten, mul, pad, range, reshape, slice, split } from '../../../src/graph/functions.ts'
import { below, type GraphCase, values } from '../graph-case.ts'

export const layoutCases: readonly GraphCase[] = [
  {
    op: 'Concat',
    what: 'unlike sizes along axis 1',
    inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 2] }],
    build: (g, xs) => concat(g, xs, 1),
  },
  {
    op: 'Concat',
    what: 'along the last axis by a negative number',
    inputs: [{ shape: [2, 1, 3] }, { shape: [2, 1, 2] }],
    build: (g, xs) => g.op('Concat', xs, { axis: -1 }),
  },
  {
    op: 'Concat',
    what: 'along an unknown batch',
    inputs: [
      { shape: [2, 3], symbols: { 0: 'n' } },
      { shape: [2, 3], symbols: { 0: 'n' } },
    ],
    build: (g, [a, b]) => flatten(g, mul(g, concat(g, [a, b], 1), 2)),
  },
  {
    op: 'Concat',
    what: 'with an empty part',
    inputs: [{ shape: [2, 3] }, { shape: [0, 3] }],
    build: (g, xs) => concat(g, xs, 0),
    gradient: false,
  },
  {
    op: 'Concat',
    what: 'int64',
    inputs: [
      { shape: [2], type: 'int64', fill: below(9) },
      { shape: [3], type: 'int64', fill: below(9) },
    ],
    build: (g, xs) => concat(g, xs, 0),
  },
  {
    op: 'Slice',
    what: 'two axes',
    inputs: [{ shape: [4, 5] }],
    build: (g, [x]) => slice(g, slice(g, x, 0, 1, 3), 1, -3, null),
  },
  {
    op: 'Slice',
    what: 'several axes at once, steps',
    inputs: [{ shape: [4, 5, 3] }],
    build: (g, [x]) => g.op('Slice', [x, g.ints([0, 1]), g.ints([4, 5]), g.ints([0, 1]), g.ints([2, 3])]),
  },
  { op: 'Slice', what: 'a step', inputs: [{ shape: [7] }], build: (g, [x]) => slice(g, x, 0, 1, 6, 2) },
  {
    op: 'Slice',
    what: 'backwards',
    inputs: [{ shape: [5, 2] }],
    build: (g, [x]) => g.op('Slice', [x, g.ints([-1]), g.ints([-100]), g.ints([0]), g.ints([-2])]),
  },
  {
    op: 'Slice',
    what: 'an unknown batch',
    inputs: [{ shape: [5, 2], symbols: { 0: 'n' } }],
    build: (g, [x]) => mul(g, slice(g, x, 1, 0, 1), 3),
  },
  {
    op: 'Slice',
    what: 'nothing is left',
    inputs: [{ shape: [4, 2] }],
    build: (g, [x]) => slice(g, x, 0, 2, 2),
    gradient: false,
  },
  {
    op: 'Split',
    what: 'given sizes, one part unused',
    inputs: [{ shape: [2, 6] }],
    build: (g, [x]) => split(g, x, 1, [1, 3, 2]).slice(1),
  },
  {
    op: 'Split',
    what: 'even parts with a remainder',
    inputs: [{ shape: [5, 2] }],
    build: (g, [x]) => g.ops('Split', [x], { axis: 0, num_outputs: 2 }, 2),
  },
  { op: 'Pad', what: 'constant', inputs: [{ shape: [2, 3] }], build: (g, [x]) => pad(g, x, [1, 0, 0, 2], 0.5) },
  {
    op: 'Pad',
    what: 'chosen axes',
    inputs: [{ shape: [2, 3, 2] }],
    build: (g, [x]) => g.op('Pad', [x, g.ints([1, 2]), g.scalar(0), g.ints([1])], { mode: 'constant' }),
  },
  {
    op: 'Pad',
    what: 'negative pads crop',
    inputs: [{ shape: [4, 3] }],
    build: (g, [x]) => g.op('Pad', [x, g.ints([-1, 0, 0, 1]), g.scalar(0)], { mode: 'constant' }),
    gradient: false,
  },
  ...['reflect', 'edge'].map(
    (mode): GraphCase => ({
      op: 'Pad',
      what: mode,
      inputs: [{ shape: [3, 4] }],
      build: (g, [x]) => g.op('Pad', [x, g.ints([1, 2, 2, 0])], { mode }),
      gradient: false,
    }),
  ),
  {
    op: 'Reshape',
    what: 'with a hole and a copied size',
    inputs: [{ shape: [2, 3, 4] }],
    build: (g, [x]) => g.op('Reshape', [x, g.ints([0, -1, 2])]),
  },
  {
    op: 'Reshape',
    what: 'an unknown batch',
    inputs: [{ shape: [2, 6], symbols: { 0: 'n' } }],
    build: (g, [x]) => reshape(g, x, ['n', 2, 3]),
  },
  {
    op: 'Reshape',
    what: 'two unknown sizes',
    inputs: [{ shape: [2, 3, 4], symbols: { 0: 'n', 1: 't' } }],
    build: (g, [x]) => reshape(g, x, ['n', 't', 2, 2]),
  },
  {
    op: 'Reshape',
    what: 'to a scalar',
    inputs: [{ shape: [1, 1] }],
    build: (g, [x]) => g.op('Reshape', [x, g.ints([])]),
  },
  { op: 'Flatten', what: 'axis 1', inputs: [{ shape: [2, 3, 2] }], build: (g, [x]) => flatten(g, x) },
  { op: 'Flatten', what: 'axis 0', inputs: [{ shape: [2, 3, 2] }], build: (g, [x]) => flatten(g, x, 0) },
  { op: 'Flatten', what: 'axis -1', inputs: [{ shape: [2, 3, 2] }], build: (g, [x]) => flatten(g, x, -1) },
  ...[undefined, [2, 0, 1], [0, 2, 1]].map(
    (perm): GraphCase => ({
      op: 'Transpose',
      what: perm ? `by ${perm}` : 'reversed',
      inputs: [{ shape: [2, 3, 4] }],
      build: (g, [x]) => g.op('Transpose', [x], perm ? { perm } : {}),
    }),
  ),
  {
    op: 'Transpose',
    what: 'six axes',
    inputs: [{ shape: [2, 1, 2, 3, 2, 2] }],
    build: (g, [x]) => g.op('Transpose', [x], { perm: [5, 0, 3, 1, 4, 2] }),
  },
  {
    op: 'Squeeze',
    what: 'given axes',
    inputs: [{ shape: [1, 2, 1, 3] }],
    build: (g, [x]) => g.op('Squeeze', [x, g.ints([-2])]),
  },
  { op: 'Squeeze', what: 'all ones', inputs: [{ shape: [1, 2, 1, 3] }], build: (g, [x]) => g.op('Squeeze', [x]) },
  {
    op: 'Unsqueeze',
    what: 'front and back',
    inputs: [{ shape: [2, 3] }],
    build: (g, [x]) => g.op('Unsqueeze', [x, g.ints([0, -1])]),
  },
  {
    op: 'Expand',
    what: 'ones and a new axis',
    inputs: [{ shape: [2, 1, 3] }],
    build: (g, [x]) => expand(g, x, [2, 2, 4, 3]),
  },
  { op: 'Expand', what: 'a scalar', inputs: [{ shape: [] }], build: (g, [x]) => expand(g, x, [2, 3]) },
  { op: 'Tile', what: 'both axes', inputs: [{ shape: [2, 3] }], build: (g, [x]) => g.op('Tile', [x, g.ints([2, 3])]) },
  ...[
    { upper: 1, k: null },
    { upper: 0, k: null },
    { upper: 1, k: 1 },
    { upper: 0, k: -1 },
  ].map(
    ({ upper, k }): GraphCase => ({
      op: 'Trilu',
      what: `upper ${upper}, diagonal ${k ?? 0}`,
      inputs: [{ shape: [2, 3, 4] }],
      build: (g, [x]) => g.op('Trilu', k === null ? [x] : [x, g.scalar(k, 'int64')], { upper }),
    }),
  ),
  {
    op: 'ReverseSequence',
    what: 'time first',
    inputs: [{ shape: [4, 3] }],
    build: (g, [x]) => g.op('ReverseSequence', [x, g.ints([2, 4, 1])], { batch_axis: 1, time_axis: 0 }),
  },
  {
    op: 'ReverseSequence',
    what: 'batch first, with features',
    inputs: [{ shape: [2, 4, 2] }],
    build: (g, [x]) => g.op('ReverseSequence', [x, g.ints([3, 1])], { batch_axis: 0, time_axis: 1 }),
  },
  {
    op: 'SpaceToDepth',
    what: 'blocks of 2',
    inputs: [{ shape: [2, 2, 4, 6] }],
    build: (g, [x]) => g.op('SpaceToDepth', [x], { blocksize: 2 }),
  },
  {
    op: 'DepthToSpace',
    what: 'DCR',
    inputs: [{ shape: [1, 8, 2, 3] }],
    build: (g, [x]) => g.op('DepthToSpace', [x], { blocksize: 2, mode: 'DCR' }),
  },
  {
    op: 'DepthToSpace',
    what: 'CRD',
    inputs: [{ shape: [1, 8, 2, 3] }],
    build: (g, [x]) => g.op('DepthToSpace', [x], { blocksize: 2, mode: 'CRD' }),
    gradient: false,
  },
  {
    op: 'Shape',
    what: 'whole and a part, with unknown sizes',
    inputs: [{ shape: [2, 3, 4], symbols: { 0: 'n' } }],
    build: (g, [x]) => [
      g.op('Shape', [x]),
      g.op('Shape', [x], { start: 1 }),
      g.op('Shape', [x], { start: -2, end: -1 }),
    ],
    gradient: false,
  },
  {
    op: 'Size',
    what: 'an unknown batch',
    inputs: [{ shape: [2, 3], symbols: { 0: 'n' } }],
    build: (g, [x]) => g.op('Size', [x]),
    gradient: false,
  },
  {
    op: 'Range',
    what: 'int64 up to a size that is known at run time',
    inputs: [{ shape: [5, 2], symbols: { 0: 'n' } }],
    build: (g, [x]) => range(g, 0, reshape(g, dimOf(g, x, 0), [])),
    gradient: false,
  },
  {
    op: 'Range',
    what: 'float32 steps',
    inputs: [{ shape: [], fill: values(1) }],
    build: (g, [x]) => g.op('Range', [x, g.scalar(3), g.scalar(0.5)]),
    gradient: false,
  },
  ...(
    [
      ['linear, larger', { mode: 'linear' }, [5, 7]],
      ['linear, smaller', { mode: 'linear' }, [2, 3]],
      ['nearest, larger', { mode: 'nearest', nearest_mode: 'round_prefer_floor' }, [6, 8]],
      ['nearest, smaller', { mode: 'nearest', nearest_mode: 'round_prefer_floor' }, [2, 2]],
      ['cubic', { mode: 'cubic' }, [5, 7]],
      ['linear, antialiased', { mode: 'linear', antialias: 1 }, [2, 3]],
    ] as const
  ).map(
    ([what, attrs, sizes]): GraphCase => ({
      op: 'Resize',
      what,
      inputs: [{ shape: [1, 2, 3, 4] }],
      build: (g, [x]) =>
        g.op('Resize', [x, null, null, g.ints(sizes)], {
          ...attrs,
          axes: [2, 3],
          coordinate_transformation_mode: 'half_pixel',
        }),
      gradient: false,
    }),
  ),
]
