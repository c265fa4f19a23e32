// Gathers, scatters, one-hot rows: repeated, negative and many-dimensional indices.
import { gather, reshape } from '../../../src/graph/functions.ts'
import { below, type GraphCase, integers, values } from '../graph-case.ts'

export const indexingCases: readonly GraphCase[] = [
  {
    op: 'Gather',
    what: 'repeated rows',
    inputs: [{ shape: [4, 3] }],
    build: (g, [x]) => gather(g, x, g.ints([1, 1, 3])),
  },
  {
    op: 'Gather',
    what: 'a matrix of int32 ids, as embeddings do',
    inputs: [{ shape: [6, 3] }, { shape: [2, 4], type: 'int32', fill: below(6) }],
    build: (g, [table, ids]) => gather(g, table, ids),
  },
  {
    op: 'Gather',
    what: 'int64 ids of an unknown number',
    inputs: [{ shape: [6, 3] }, { shape: [5], type: 'int64', fill: below(6), symbols: { 0: 'n' } }],
    build: (g, [table, ids]) => gather(g, table, ids),
  },
  {
    op: 'Gather',
    what: 'columns by a matrix',
    inputs: [{ shape: [2, 4, 3] }],
    build: (g, [x]) => gather(g, x, reshape(g, g.ints([1, 1, 3, 0]), [2, 2]), 1),
  },
  {
    op: 'Gather',
    what: 'one place of an axis drops it',
    inputs: [{ shape: [2, 4, 3] }],
    build: (g, [x]) => gather(g, x, g.scalar(2, 'int64'), 1),
  },
  {
    op: 'Gather',
    what: 'negative indices count from the end',
    inputs: [{ shape: [4, 2] }],
    build: (g, [x]) => gather(g, x, g.ints([-1, 0, -4])),
    gradient: false,
  },
  {
    op: 'Gather',
    what: 'no indices',
    inputs: [{ shape: [4, 2] }, { shape: [0], type: 'int64' }],
    build: (g, [x, ids]) => gather(g, x, ids),
    gradient: false,
  },
  ...[0, 1].map(
    (axis): GraphCase => ({
      op: 'GatherElements',
      what: `axis ${axis}`,
      inputs: [{ shape: [3, 3] }],
      build: (g, [x]) => g.op('GatherElements', [x, reshape(g, g.ints([2, 0, 2, 1]), [2, 2])], { axis }),
    }),
  ),
  {
    op: 'GatherND',
    what: 'whole tuples',
    inputs: [{ shape: [3, 2] }],
    build: (g, [x]) => g.op('GatherND', [x, reshape(g, g.ints([2, 0, 2, 0, 1, 1]), [3, 2])]),
  },
  {
    op: 'GatherND',
    what: 'rows',
    inputs: [{ shape: [3, 2, 2] }],
    build: (g, [x]) => g.op('GatherND', [x, reshape(g, g.ints([2, 0]), [2, 1])]),
  },
  {
    op: 'GatherND',
    what: 'over a batch',
    inputs: [{ shape: [2, 4, 2] }],
    build: (g, [x]) => g.op('GatherND', [x, reshape(g, g.ints([3, 0]), [2, 1])], { batch_dims: 1 }),
  },
  ...(['none', 'add'] as const).flatMap((reduction): GraphCase[] => [
    {
      op: 'ScatterElements',
      what: reduction,
      inputs: [{ shape: [4, 2] }, { shape: [2, 2] }],
      build: (g, [x, u]) =>
        g.op('ScatterElements', [x, reshape(g, g.ints([2, 0, 1, 3]), [2, 2]), u], { axis: 0, reduction }),
    },
    {
      op: 'ScatterND',
      what: `rows, ${reduction}`,
      inputs: [{ shape: [4, 2] }, { shape: [2, 2] }],
      build: (g, [x, u]) => g.op('ScatterND', [x, reshape(g, g.ints([3, 1]), [2, 1]), u], { reduction }),
    },
  ]),
  {
    op: 'ScatterElements',
    what: 'repeated places add up',
    inputs: [{ shape: [2, 3] }, { shape: [2, 2] }],
    build: (g, [x, u]) =>
      g.op('ScatterElements', [x, reshape(g, g.ints([1, 1, 0, 0]), [2, 2]), u], { axis: 1, reduction: 'add' }),
  },
  {
    op: 'ScatterND',
    what: 'repeated rows add up',
    inputs: [{ shape: [4, 2] }, { shape: [3, 2] }],
    build: (g, [x, u]) => g.op('ScatterND', [x, reshape(g, g.ints([1, 1, 0]), [3, 1]), u], { reduction: 'add' }),
  },
  {
    op: 'ScatterND',
    what: 'single elements',
    inputs: [{ shape: [3, 2] }, { shape: [2] }],
    build: (g, [x, u]) => g.op('ScatterND', [x, reshape(g, g.ints([0, 1, 2, 0]), [2, 2]), u]),
  },
  ...[-1, 0].map(
    (axis): GraphCase => ({
      op: 'OneHot',
      what: `new axis ${axis}`,
      inputs: [{ shape: [2, 3], type: 'int64', fill: integers(0, 3) }],
      build: (g, [x]) => g.op('OneHot', [x, g.ints([4]), g.floats([0.25, 2])], { axis }),
    }),
  ),
  {
    op: 'NonZero',
    what: 'two axes',
    inputs: [{ shape: [3, 3], fill: values(0, 1, 2, 0) }],
    build: (g, [x]) => g.op('NonZero', [x]),
    gradient: false,
  },
]
