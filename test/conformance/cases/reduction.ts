// Reductions, searches, sums along axes, Einsum.
import { cumSum, reduceSum } from '../../../src/graph/functions.ts'
import { type GraphCase, integers, positive, spread, values } from '../graph-case.ts'

const REDUCTIONS = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'].map(
  (name) => `Reduce${name}`,
)

const axesCases: GraphCase[] = REDUCTIONS.flatMap((op) =>
  [null, [1], [0, 2], [-1]].flatMap((axes) =>
    [0, 1].map(
      (keepdims): GraphCase => ({
        op,
        what: `over ${axes ?? 'all'}, keepdims ${keepdims}`,
        inputs: [{ shape: [2, 3, 2], fill: op === 'ReduceLogSum' ? positive : spread }],
        build: (g, [x]) => g.op(op, axes ? [x, g.ints(axes)] : [x], { keepdims }),
      }),
    ),
  ),
)

export const reductionCases: readonly GraphCase[] = [
  ...axesCases,
  ...['ReduceSum', 'ReduceMean', 'ReduceMax'].map(
    (op): GraphCase => ({
      op,
      what: 'over a batch of unknown size',
      inputs: [{ shape: [5, 3], symbols: { 0: 'n' } }],
      build: (g, [x]) => g.op(op, [x, g.ints([0])], { keepdims: 0 }),
    }),
  ),
  {
    op: 'ReduceSum',
    what: 'no axes and noop leaves the tensor',
    inputs: [{ shape: [2, 2] }],
    build: (g, [x]) => g.op('ReduceSum', [x, g.ints([])], { noop_with_empty_axes: 1 }),
    gradient: false,
  },
  {
    op: 'ReduceSum',
    what: 'of nothing is zero',
    inputs: [{ shape: [0, 3] }],
    build: (g, [x]) => reduceSum(g, x, [0]),
    gradient: false,
  },
  {
    op: 'ReduceMean',
    what: 'of one element',
    inputs: [{ shape: [1] }],
    build: (g, [x]) => g.op('ReduceMean', [x], { keepdims: 0 }),
  },
  ...['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd'].flatMap((op) =>
    (['int32', 'int64'] as const).map(
      (type): GraphCase => ({
        op,
        what: type,
        inputs: [{ shape: [3, 4], type, fill: integers(-5, 5) }],
        build: (g, [x]) => g.op(op, [x, g.ints([1])], { keepdims: 0 }),
      }),
    ),
  ),
  ...['ReduceMax', 'ReduceMin'].map(
    (op): GraphCase => ({
      op,
      what: 'equal extrema share the gradient',
      inputs: [{ shape: [2, 3], fill: values(1, 1, 0, 2, 2, 2) }],
      build: (g, [x]) => g.op(op, [x, g.ints([1])], { keepdims: 0 }),
      smooth: false,
    }),
  ),
  {
    op: 'ReduceL2',
    what: 'zeros have no gradient',
    inputs: [{ shape: [2, 2], fill: values(0, 0, 3, 4) }],
    build: (g, [x]) => g.op('ReduceL2', [x, g.ints([1])], { keepdims: 0 }),
    smooth: false,
  },
  {
    op: 'ReduceLogSumExp',
    what: 'large values do not overflow',
    inputs: [{ shape: [2, 2], fill: values(1000, 1001, -1000, -1001) }],
    build: (g, [x]) => g.op('ReduceLogSumExp', [x, g.ints([1])], { keepdims: 0 }),
    smooth: false,
    // A float32 near 1000 is known to 3e-5, and so are the weights exp(x - 1001).
    slack: 20,
  },
  ...['ArgMax', 'ArgMin'].flatMap((op) =>
    [
      { axis: 0, keepdims: 0 },
      { axis: 1, keepdims: 1 },
      { axis: -1, keepdims: 0, select_last_index: 1 },
    ].map(
      (attrs): GraphCase => ({
        op,
        what: `${JSON.stringify(attrs)}, with ties`,
        inputs: [{ shape: [3, 4], fill: integers(0, 2) }],
        build: (g, [x]) => g.op(op, [x], attrs),
        gradient: false,
      }),
    ),
  ),
  ...[
    { exclusive: 0, reverse: 0 },
    { exclusive: 1, reverse: 0 },
    { exclusive: 0, reverse: 1 },
    { exclusive: 1, reverse: 1 },
  ].map(
    (attrs): GraphCase => ({
      op: 'CumSum',
      what: JSON.stringify(attrs),
      inputs: [{ shape: [2, 4, 2] }],
      build: (g, [x]) => g.op('CumSum', [x, g.scalar(1, 'int64')], attrs),
    }),
  ),
  {
    op: 'CumSum',
    what: 'the last axis by a negative number',
    inputs: [{ shape: [2, 4] }],
    build: (g, [x]) => cumSum(g, x, -1),
  },
  ...(
    [
      [-1, 1],
      [0, 1],
      [1, 0],
    ] as const
  ).map(
    ([axis, largest]): GraphCase => ({
      op: 'TopK',
      what: `axis ${axis}, largest ${largest}`,
      inputs: [{ shape: [4, 5] }],
      build: (g, [x]) => g.ops('TopK', [x, g.ints([3])], { axis, largest }, 2),
    }),
  ),
  {
    op: 'TopK',
    what: 'equal elements come in their order',
    inputs: [{ shape: [2, 6], fill: values(1, 3, 3, 2, 3, 1) }],
    build: (g, [x]) => g.ops('TopK', [x, g.ints([4])], { axis: 1 }, 2),
    smooth: false,
  },
  ...(
    [
      ['ij,jk->ik', [2, 3], [3, 4]],
      ['bij,bkj->bik', [2, 3, 4], [2, 2, 4]],
      ['ij,jk,ki->ik', [2, 3], [3, 4], [4, 2]],
      ['i,j->ij', [3], [2]],
      ['bthd,bshd->bhts', [2, 3, 2, 2], [2, 4, 2, 2]],
    ] as const
  ).map(
    ([equation, ...shapes]): GraphCase => ({
      op: 'Einsum',
      what: equation,
      inputs: shapes.map((shape) => ({ shape })),
      build: (g, xs) => g.op('Einsum', xs, { equation }),
    }),
  ),
  {
    op: 'Einsum',
    what: 'a transpose',
    inputs: [{ shape: [2, 3] }],
    build: (g, xs) => g.op('Einsum', xs, { equation: 'ij->ji' }),
  },
]
