// Element-by-element operators: every one on several elements, the common ones with broadcasting, integers, extremes, nothing.
import type { GraphBuilder, Value } from '../../../src/graph/builder.ts'
import { cast, clip, greater, where } from '../../../src/graph/functions.ts'
import { below, type Fill, type GraphCase, integers, positive, spread, values } from '../graph-case.ts'

const small = [2, 3, 4]

const unaries: [op: string, attrs?: Record<string, number | string>, fill?: Fill][] = [
  ['Identity'],
  ['Neg'],
  ['Abs'],
  ['Sign'],
  ['Sqrt', {}, positive],
  ['Reciprocal', {}, positive],
  ['Exp'],
  ['Log', {}, positive],
  ['Sin'],
  ['Cos'],
  ['Floor'],
  ['Ceil'],
  ['Relu'],
  ['LeakyRelu', { alpha: 0.2 }],
  ['LeakyRelu', {}],
  ['Elu', { alpha: 0.7 }],
  ['HardSigmoid', { alpha: 0.2, beta: 0.4 }],
  ['HardSwish'],
  ['Sigmoid'],
  ['Softplus'],
  ['Tanh'],
  ['Erf'],
  ['Gelu'],
  ['Gelu', { approximate: 'tanh' }],
]

const unaryCases: GraphCase[] = unaries.map(([op, attrs = {}, fill = spread]) => ({
  op,
  what: `${small} with ${JSON.stringify(attrs)}`,
  inputs: [{ shape: small, fill }],
  build: (g, [x]) => g.op(op, [x], attrs),
}))

/** Far out, where naive formulas overflow or lose everything. */
const extremes = values(-90, -30, -8, -1e-4, 0, 1e-4, 8, 30, 90)
const extremeCases: GraphCase[] = ['Sigmoid', 'Softplus', 'Tanh', 'Erf', 'Gelu', 'HardSwish', 'Elu', 'Relu'].map(
  (op) => ({
    op,
    what: 'far from zero and at zero',
    inputs: [{ shape: [9], fill: extremes }],
    build: (g, [x]) => g.op(op, [x]),
    smooth: false,
  }),
)

const edgeCases: GraphCase[] = [[], [1], [0, 3], [1, 1, 1, 1, 1]].flatMap((shape) =>
  ['Relu', 'Sigmoid', 'Exp', 'Neg'].map((op) => ({
    op,
    what: `shape [${shape}]`,
    inputs: [{ shape }],
    build: (g, [x]: Value[]) => g.op(op, [x]),
  })),
) as GraphCase[]

const broadcasts: [string, readonly number[], readonly number[]][] = [
  ['equal shapes', [2, 3], [2, 3]],
  ['both sides broadcast', [2, 1, 3], [4, 1]],
  ['a row by a column', [1, 4], [3, 1]],
  ['a scalar by a tensor', [], [2, 3]],
]

const binaryCases: GraphCase[] = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Sum', 'Mean'].flatMap((op) =>
  broadcasts.map(([what, a, b]) => ({
    op,
    what,
    inputs: [
      { shape: a, fill: positive },
      { shape: b, fill: positive },
    ],
    build: (g, xs) => g.op(op, xs),
  })),
) as GraphCase[]

const comparisonCases: GraphCase[] = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].flatMap((op) =>
  (['float32', 'int32', 'int64'] as const).map((type) => ({
    op,
    what: `${type}, broadcast, with ties`,
    inputs: [
      { shape: [3, 1], type, fill: integers(-1, 1) },
      { shape: [1, 4], type, fill: integers(-1, 1) },
    ],
    build: (g, xs) => g.op(op, xs),
    gradient: false,
  })),
) as GraphCase[]

const logicalCases: GraphCase[] = ['And', 'Or', 'Xor'].map((op) => ({
  op,
  what: 'broadcast',
  inputs: [
    { shape: [2, 1], type: 'bool', fill: values(0, 1) },
    { shape: [1, 2], type: 'bool', fill: values(0, 1) },
  ],
  build: (g, xs) => g.op(op, xs),
}))

const integerCases: GraphCase[] = (['int32', 'int64'] as const).flatMap((type) => [
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Min', 'Max'].map((op) => ({
    op,
    what: `${type}, signs mixed, broadcast`,
    inputs: [
      { shape: [2, 4], type, fill: values(-7, 7, -6, 6, 0, 5, -5, 12) },
      { shape: [1, 4], type, fill: values(2, -2, 4, -4) },
    ],
    build: (g: GraphBuilder, xs: Value[]) => g.op(op, xs),
  })),
  ...['Neg', 'Abs', 'Sign', 'Identity'].map((op) => ({
    op,
    what: `${type}`,
    inputs: [{ shape: [5], type, fill: integers(-4, 4) }],
    build: (g: GraphBuilder, [x]: Value[]) => g.op(op, [x]),
  })),
]) as GraphCase[]

const bitCases: GraphCase[] = [
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].flatMap((op) =>
    (['int32', 'int64'] as const).map(
      (type): GraphCase => ({
        op,
        what: type,
        inputs: [
          { shape: [6], type, fill: integers(-1000, 1000) },
          { shape: [1], type, fill: values(0x55) },
        ],
        build: (g, xs) => g.op(op, xs),
      }),
    ),
  ),
  {
    op: 'BitwiseNot',
    what: 'int32',
    inputs: [{ shape: [6], type: 'int32', fill: integers(-1000, 1000) }],
    build: (g, [x]) => g.op('BitwiseNot', [x]),
  },
  ...['LEFT', 'RIGHT'].map(
    (direction): GraphCase => ({
      op: 'BitShift',
      what: `uint32 ${direction}`,
      inputs: [
        { shape: [4], type: 'int32', fill: below(1 << 20) },
        { shape: [4], type: 'int32', fill: values(0, 1, 5, 11) },
      ],
      build: (g, xs) => {
        const [a, b] = xs.map((x) => cast(g, x, 'uint32'))
        return cast(g, g.op('BitShift', [a, b], { direction }), 'int64')
      },
    }),
  ),
  {
    op: 'Mul',
    what: 'int32 products wrap, as the hash of dropout needs',
    inputs: [{ shape: [8], type: 'int32', fill: (rng) => rng.uint32() | 0 }],
    build: (g, [x]) => g.op('Mul', [x, g.op('Add', [g.op('Mul', [x, g.scalar(2, 'int32')]), g.scalar(1, 'int32')])]),
  },
]

const castCases: GraphCase[] = [
  ...(['int32', 'int64', 'uint8', 'bool', 'float32'] as const).flatMap((type) =>
    (['float32', 'int32', 'int64', 'bool'] as const)
      .filter((to) => to !== type)
      .map(
        (to): GraphCase => ({
          op: 'Cast',
          what: `${type} to ${to}`,
          inputs: [{ shape: [6], type, fill: type === 'bool' ? values(0, 1) : values(0, 1, 2, 3, 100, 7) }],
          build: (g, [x]) => cast(g, x, to),
          gradient: false,
        }),
      ),
  ),
  {
    op: 'Cast',
    what: 'fractions go towards zero',
    inputs: [{ shape: [6], fill: values(-1.7, -0.5, 0.5, 1.5, 2.9, -3) }],
    build: (g, [x]) => cast(g, x, 'int32'),
    gradient: false,
  },
  {
    op: 'Cast',
    what: 'there and back, with its gradient',
    inputs: [{ shape: [4] }],
    build: (g, [x]) => cast(g, cast(g, x, 'float64'), 'float32'),
  },
  ...(['int8', 'uint8', 'uint32', 'uint64', 'float64'] as const).map(
    (to): GraphCase => ({
      op: 'Cast',
      what: `int32 through ${to}`,
      inputs: [{ shape: [4], type: 'int32', fill: values(0, 1, 5, 100) }],
      build: (g, [x]) => cast(g, cast(g, x, to), 'int64'),
    }),
  ),
]

export const elementwiseCases: readonly GraphCase[] = [
  ...unaryCases,
  ...extremeCases,
  ...edgeCases,
  ...binaryCases,
  ...comparisonCases,
  ...logicalCases,
  ...integerCases,
  ...bitCases,
  ...castCases,
  {
    op: 'Round',
    what: 'halves go to even',
    inputs: [{ shape: [8], fill: values(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1.2, -1.8) }],
    build: (g, [x]) => g.op('Round', [x]),
    smooth: false,
  },
  {
    op: 'QuickGelu',
    what: 'alpha 1.5',
    inputs: [{ shape: small }],
    build: (g, [x]) => g.op('QuickGelu', [x], { alpha: 1.5 }),
    gradient: false,
  },
  {
    op: 'Not',
    what: 'a comparison',
    inputs: [{ shape: [5] }],
    build: (g, [x]) => g.op('Not', [greater(g, x, 0)]),
    gradient: false,
  },
  {
    op: 'IsNaN',
    what: 'among numbers and infinities',
    inputs: [{ shape: [4], fill: values(1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) }],
    build: (g, [x]) => g.op('IsNaN', [x]),
    gradient: false,
  },
  ...[{}, { detect_negative: 0 }, { detect_positive: 0 }].map(
    (attrs): GraphCase => ({
      op: 'IsInf',
      what: JSON.stringify(attrs),
      inputs: [{ shape: [4], fill: values(1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) }],
      build: (g, [x]) => g.op('IsInf', [x], attrs),
      gradient: false,
    }),
  ),
  {
    op: 'Mod',
    what: 'fmod of floats keeps the sign of the first',
    inputs: [{ shape: [6], fill: values(-5.25, 5.25, -1.5, 1.5, 0.25, 7.75) }],
    build: (g, [x]) => g.op('Mod', [x, g.scalar(2)], { fmod: 1 }),
  },
  {
    op: 'Sum',
    what: 'three operands',
    inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }],
    build: (g, xs) => g.op('Sum', xs),
  },
  ...['Min', 'Max', 'Mean'].map(
    (op): GraphCase => ({
      op,
      what: 'three operands',
      inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }],
      build: (g, xs) => g.op(op, xs),
    }),
  ),
  ...['Min', 'Max', 'Sum', 'Mean'].map(
    (op): GraphCase => ({
      op,
      what: 'one operand',
      inputs: [{ shape: [3] }],
      build: (g, xs) => g.op(op, xs),
    }),
  ),
  ...(
    [
      [null, 0.9],
      [-1, null],
      [-1, 0.9],
    ] as const
  ).map(
    ([low, high]): GraphCase => ({
      op: 'Clip',
      what: `from ${low} to ${high}`,
      inputs: [{ shape: [12] }],
      build: (g, [x]) => clip(g, x, low, high),
    }),
  ),
  {
    op: 'Where',
    what: 'all three broadcast',
    inputs: [{ shape: [2, 1, 1], type: 'bool', fill: values(0, 1) }, { shape: [3, 1] }, { shape: [1, 4] }],
    build: (g, xs) => g.op('Where', xs),
  },
  {
    op: 'Where',
    what: 'a NaN that is not chosen leaves no trace in values or gradients',
    inputs: [{ shape: [4], fill: values(1, Number.NaN, -2, Number.NaN) }, { shape: [1] }],
    build: (g, [x, w]) => g.op('Mul', [where(g, g.op('IsNaN', [x]), 0, x), w]),
    smooth: false,
  },
  {
    op: 'Where',
    what: 'int64',
    inputs: [
      { shape: [4], type: 'bool', fill: values(0, 1) },
      { shape: [4], type: 'int64', fill: below(9) },
      { shape: [], type: 'int64', fill: values(-3) },
    ],
    build: (g, xs) => g.op('Where', xs),
  },
  ...['Softmax', 'LogSoftmax'].flatMap((op): GraphCase[] => [
    ...[0, 1, -1].map(
      (axis): GraphCase => ({
        op,
        what: `axis ${axis} of ${small}`,
        inputs: [{ shape: small }],
        build: (g, [x]) => g.op(op, [x], { axis }),
      }),
    ),
    {
      op,
      what: 'large logits do not overflow',
      inputs: [{ shape: [2, 3], fill: values(1000, 998, -1000, 0, 0, 90) }],
      build: (g, [x]) => g.op(op, [x], { axis: -1 }),
      smooth: false,
    },
    {
      op,
      what: 'one class',
      inputs: [{ shape: [3, 1] }],
      build: (g, [x]) => g.op(op, [x], { axis: -1 }),
    },
  ]),
]
