// Every operator with a gradient rule, against finite differences; a test at the end asserts that none is forgotten.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { GraphBuilder, type Value } from '../../src/graph/builder.ts'
import {
  add,
  averagePool,
  cast,
  clip,
  concat,
  conv,
  cumSum,
  div,
  expand,
  flatten,
  gather,
  gemm,
  greater,
  matmul,
  maxPool,
  mul,
  pad,
  pow,
  reduceL2,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  reshape,
  slice,
  split,
  squeeze,
  sub,
  topK,
  transpose,
  unsqueeze,
  where,
} from '../../src/graph/functions.ts'
import { gradients, gradientTable } from '../../src/graph/gradients/gradients.ts'
import type { Rng } from '../../src/support/rng.ts'
import { checkGradient, type GradientCase } from './finite-differences.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const positive = (rng: Rng) => 0.4 + 1.6 * rng.uniform()

const unaryOps: [string, Record<string, number | string>?, ((rng: Rng) => number)?][] = [
  ['Neg'],
  ['Abs'],
  ['Sqrt', {}, positive],
  ['Reciprocal', {}, positive],
  ['Exp'],
  ['Log', {}, positive],
  ['Sin'],
  ['Cos'],
  ['Relu'],
  ['LeakyRelu', { alpha: 0.2 }],
  ['Elu', { alpha: 0.7 }],
  ['HardSigmoid', { alpha: 0.2, beta: 0.4 }],
  ['HardSwish'],
  ['Sigmoid'],
  ['Softplus'],
  ['Tanh'],
  ['Erf'],
  ['Gelu'],
  ['Gelu', { approximate: 'tanh' }],
  ['Softmax', { axis: 1 }],
  ['Softmax', { axis: -1 }],
  ['LogSoftmax', { axis: -1 }],
  ['Identity'],
  ['Trilu', { upper: 1 }],
  ['GlobalAveragePool'],
  ['GlobalMaxPool'],
]

const unaryCases: GradientCase[] = unaryOps.map(([op, attrs = {}, fill]) => ({
  title: `${op} ${JSON.stringify(attrs)}`,
  inputs: [[2, 3, 4]],
  ...(fill ? { fill } : {}),
  build: (g, [x]) => g.op(op, [x], attrs),
}))

const binaryCases: GradientCase[] = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Sum', 'Mean'].flatMap((op) => [
  {
    title: `${op} of equal shapes`,
    inputs: [
      [2, 3],
      [2, 3],
    ],
    fill: positive,
    step: 3e-3,
    build: (g: GraphBuilder, xs: Value[]) => g.op(op, xs),
  },
  {
    title: `${op} broadcasts both sides`,
    inputs: [
      [2, 1, 3],
      [4, 1],
    ],
    fill: positive,
    step: 3e-3,
    build: (g: GraphBuilder, xs: Value[]) => g.op(op, xs),
  },
])

const cases: GradientCase[] = [
  ...unaryCases,
  ...binaryCases,
  { title: 'Mod', inputs: [[5]], fill: positive, build: (g, [x]) => g.op('Mod', [x, g.scalar(5)], { fmod: 1 }) },
  { title: 'Cast there and back', inputs: [[4]], build: (g, [x]) => cast(g, cast(g, x, 'float64'), 'float32') },
  { title: 'Clip', inputs: [[12]], build: (g, [x]) => clip(g, x, -1, 0.9) },
  {
    title: 'Where broadcasts',
    inputs: [
      [2, 3],
      [1, 3],
    ],
    build: (g, [a, b]) => where(g, greater(g, g.floats([1, -1, 1]), 0), a, b),
  },
  ...[null, [1], [0, 2]].flatMap((axes): GradientCase[] => [
    { title: `ReduceSum over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceSum(g, x, axes) },
    { title: `ReduceMean over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceMean(g, x, axes, true) },
    { title: `ReduceMax over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceMax(g, x, axes), step: 1e-3 },
    { title: `ReduceMin over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceMin(g, x, axes), step: 1e-3 },
    { title: `ReduceProd over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceProd(g, x, axes) },
    { title: `ReduceL2 over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceL2(g, x, axes) },
    { title: `ReduceSumSquare over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceSumSquare(g, x, axes) },
    { title: `ReduceLogSumExp over ${axes}`, inputs: [[2, 3, 2]], build: (g, [x]) => reduceLogSumExp(g, x, axes) },
    {
      title: `ReduceL1 over ${axes}`,
      inputs: [[2, 3, 2]],
      build: (g, [x]) => g.op('ReduceL1', axes ? [x, g.ints(axes)] : [x]),
    },
    {
      title: `ReduceLogSum over ${axes}`,
      inputs: [[2, 3, 2]],
      fill: positive,
      build: (g, [x]) => g.op('ReduceLogSum', axes ? [x, g.ints(axes)] : [x]),
    },
  ]),
  {
    title: 'ReduceMean over the batch of unknown size',
    inputs: [[3, 2]],
    symbolic: true,
    build: (g, [x]) => reduceMean(g, x, [0]),
  },
  { title: 'CumSum', inputs: [[2, 4]], build: (g, [x]) => cumSum(g, x, 1) },
  { title: 'TopK', inputs: [[2, 5]], step: 1e-3, build: (g, [x]) => topK(g, x, 2).values },
  {
    title: 'Einsum of three',
    inputs: [
      [2, 3],
      [3, 4],
      [4, 2],
    ],
    build: (g, xs) => g.op('Einsum', xs, { equation: 'ij,jk,ki->ik' }),
  },
  {
    title: 'Reshape with an unknown batch',
    inputs: [[2, 6]],
    symbolic: true,
    build: (g, [x]) => reshape(g, x, ['n', 2, 3]),
  },
  { title: 'Flatten', inputs: [[2, 3, 2]], build: (g, [x]) => flatten(g, x) },
  { title: 'Transpose', inputs: [[2, 3, 2]], build: (g, [x]) => transpose(g, x, [2, 0, 1]) },
  { title: 'Squeeze and Unsqueeze', inputs: [[2, 1, 3]], build: (g, [x]) => unsqueeze(g, squeeze(g, x, [1]), [0]) },
  { title: 'Expand', inputs: [[2, 1, 3]], build: (g, [x]) => expand(g, x, [2, 4, 3]) },
  { title: 'Tile', inputs: [[2, 3]], build: (g, [x]) => g.op('Tile', [x, g.ints([2, 3])]) },
  {
    title: 'Concat of unlike sizes',
    inputs: [
      [2, 3],
      [2, 1],
    ],
    build: (g, xs) => concat(g, xs, 1),
  },
  {
    title: 'Concat along an unknown batch',
    inputs: [
      [2, 3],
      [2, 3],
    ],
    symbolic: true,
    build: (g, [a, b]) => concat(g, [a, b, mul(g, a, b)], 0),
  },
  {
    title: 'Split, one part unused',
    inputs: [[2, 6]],
    build: (g, [x]) => mul(g, ...(split(g, x, 1, [2, 2, 2]).slice(1) as [Value, Value])),
  },
  { title: 'Slice', inputs: [[4, 5]], build: (g, [x]) => slice(g, slice(g, x, 0, 1, 3), 1, -3, null) },
  { title: 'Slice with a step', inputs: [[7]], build: (g, [x]) => slice(g, x, 0, 1, 6, 2) },
  {
    title: 'Slice backwards',
    inputs: [[5]],
    build: (g, [x]) => g.op('Slice', [x, g.ints([-1]), g.ints([-100]), g.ints([0]), g.ints([-2])]),
  },
  { title: 'Slice of an unknown batch', inputs: [[5, 2]], symbolic: true, build: (g, [x]) => slice(g, x, 0, 1, -1) },
  { title: 'Pad', inputs: [[2, 3]], build: (g, [x]) => pad(g, x, [1, 0, 0, 2], 0.5) },
  {
    title: 'ReverseSequence',
    inputs: [[4, 2]],
    build: (g, [x]) => g.op('ReverseSequence', [x, g.ints([2, 4])], { batch_axis: 1, time_axis: 0 }),
  },
  { title: 'SpaceToDepth', inputs: [[1, 2, 4, 4]], build: (g, [x]) => g.op('SpaceToDepth', [x], { blocksize: 2 }) },
  {
    title: 'DepthToSpace',
    inputs: [[1, 8, 2, 2]],
    build: (g, [x]) => g.op('DepthToSpace', [x], { blocksize: 2, mode: 'DCR' }),
  },
  { title: 'Gather of repeated rows', inputs: [[4, 3]], build: (g, [x]) => gather(g, x, g.ints([1, 1, 3])) },
  {
    title: 'Gather of columns by a matrix of indices',
    inputs: [[2, 4, 3]],
    build: (g, [x]) => gather(g, x, reshape(g, g.ints([1, 1, 3, 0]), [2, 2]), 1),
  },
  {
    title: 'GatherElements',
    inputs: [[3, 2]],
    build: (g, [x]) => g.op('GatherElements', [x, reshape(g, g.ints([2, 0, 2, 1]), [2, 2])], { axis: 0 }),
  },
  {
    title: 'GatherND',
    inputs: [[3, 2]],
    build: (g, [x]) => g.op('GatherND', [x, reshape(g, g.ints([2, 0, 2, 0, 1, 1]), [3, 2])]),
  },
  {
    title: 'GatherND over a batch',
    inputs: [[2, 4, 2]],
    build: (g, [x]) => g.op('GatherND', [x, reshape(g, g.ints([3, 0]), [2, 1])], { batch_dims: 1 }),
  },
  {
    title: 'ScatterElements',
    inputs: [
      [4, 2],
      [1, 2],
    ],
    build: (g, [x, u]) => g.op('ScatterElements', [x, reshape(g, g.ints([2, 0]), [1, 2]), u], { axis: 0 }),
  },
  {
    title: 'ScatterND',
    inputs: [
      [4, 2],
      [2, 2],
    ],
    build: (g, [x, u]) => g.op('ScatterND', [x, reshape(g, g.ints([3, 1]), [2, 1]), u]),
  },
  {
    title: 'ScatterND adding',
    inputs: [
      [4, 2],
      [2, 2],
    ],
    build: (g, [x, u]) => g.op('ScatterND', [x, reshape(g, g.ints([1, 1]), [2, 1]), u], { reduction: 'add' }),
  },
  {
    title: 'MatMul of matrices',
    inputs: [
      [2, 3],
      [3, 4],
    ],
    build: (g, [a, b]) => matmul(g, a, b),
  },
  {
    title: 'MatMul of a batch by one matrix',
    inputs: [
      [2, 2, 3],
      [3, 2],
    ],
    build: (g, [a, b]) => matmul(g, a, b),
  },
  {
    title: 'MatMul of two batches, one broadcast',
    inputs: [
      [2, 3, 2, 3],
      [3, 3, 2],
    ],
    build: (g, [a, b]) => matmul(g, a, b),
  },
  {
    title: 'MatMul of a matrix by a vector',
    inputs: [[2, 3], [3]],
    build: (g, [a, b]) => matmul(g, a, b),
  },
  {
    title: 'MatMul of a vector by a batch',
    inputs: [[3], [2, 3, 2]],
    build: (g, [a, b]) => matmul(g, a, b),
  },
  ...[0, 1].flatMap((transA) =>
    [0, 1].flatMap((transB): GradientCase[] => [
      {
        title: `Gemm transA=${transA} transB=${transB}`,
        inputs: [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4], [4]],
        build: (g, [a, b, c]) => gemm(g, a, b, c, { transA: !!transA, transB: !!transB, alpha: 0.5, beta: 2 }),
      },
      {
        title: `FusedMatMul transA=${transA} transB=${transB}`,
        inputs: [transA ? [2, 3, 2] : [2, 2, 3], transB ? [2, 4, 3] : [2, 3, 4]],
        build: (g, [a, b]) => g.op('FusedMatMul', [a, b], { transA, transB, alpha: 0.5 }),
      },
    ]),
  ),
  {
    title: 'Conv 3x3 with bias',
    inputs: [[2, 2, 5, 4], [3, 2, 3, 3], [3]],
    build: (g, [x, w, b]) => conv(g, x, w, b, { pads: 'same' }),
  },
  {
    title: 'Conv with stride 2 and a remainder',
    inputs: [
      [2, 2, 6, 5],
      [3, 2, 3, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { strides: 2, pads: 1 }),
  },
  {
    title: 'Conv with dilation and uneven pads',
    inputs: [
      [1, 2, 7, 6],
      [2, 2, 2, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { dilations: 2, pads: [1, 2, 0, 1] }),
  },
  {
    title: 'Conv without pads, stride 3',
    inputs: [
      [1, 1, 8, 8],
      [2, 1, 2, 2],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { strides: 3 }),
  },
  {
    title: 'Conv 1x1 with stride 2',
    inputs: [
      [2, 3, 4, 4],
      [2, 3, 1, 1],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { strides: 2 }),
  },
  {
    title: 'Conv over one axis',
    inputs: [
      [2, 3, 7],
      [2, 3, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { pads: 'same' }),
  },
  {
    title: 'Conv over one axis with stride and dilation',
    inputs: [
      [2, 2, 9],
      [2, 2, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { pads: [1, 2], strides: 2, dilations: 2 }),
  },
  {
    title: 'Conv in groups',
    inputs: [
      [2, 4, 4, 4],
      [6, 2, 3, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { pads: 1, group: 2 }),
  },
  {
    title: 'Conv depthwise with stride 2',
    inputs: [
      [2, 3, 5, 5],
      [3, 1, 3, 3],
    ],
    build: (g, [x, w]) => conv(g, x, w, null, { pads: 1, group: 3, strides: 2 }),
  },
  {
    title: 'ConvTranspose',
    inputs: [[2, 3, 3, 3], [3, 2, 3, 3], [2]],
    build: (g, [x, w, b]) =>
      g.op('ConvTranspose', [x, w, b], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  },
  { title: 'MaxPool tiling', inputs: [[2, 2, 4, 5]], step: 1e-3, build: (g, [x]) => maxPool(g, x, [2, 2]) },
  { title: 'MaxPool tiling one axis', inputs: [[2, 2, 6]], step: 1e-3, build: (g, [x]) => maxPool(g, x, [3]) },
  {
    title: 'MaxPool overlapping',
    inputs: [[2, 2, 5, 5]],
    step: 1e-3,
    build: (g, [x]) => maxPool(g, x, [3, 3], { strides: 2, pads: 1 }),
  },
  { title: 'AveragePool tiling', inputs: [[2, 2, 4, 5]], build: (g, [x]) => averagePool(g, x, [2, 2]) },
  {
    title: 'AveragePool overlapping with pads',
    inputs: [[2, 2, 5, 6]],
    build: (g, [x]) => averagePool(g, x, [3, 3], { strides: 2, pads: 1 }),
  },
  {
    title: 'BatchNormalization with fixed statistics',
    inputs: [[2, 3, 2, 2], [3], [3]],
    build: (g, [x, s, b]) =>
      g.op('BatchNormalization', [x, s, b, g.floats([0.1, 0.2, -0.3]), g.floats([1, 2, 0.5])], { epsilon: 1e-3 }),
  },
  {
    title: 'LayerNormalization',
    inputs: [[2, 3, 4], [4], [4]],
    build: (g, xs) => g.op('LayerNormalization', xs, { axis: -1, epsilon: 1e-3 }),
  },
  {
    title: 'LayerNormalization over two axes, with its statistics',
    inputs: [
      [2, 3, 4],
      [3, 4],
    ],
    build: (g, xs) => g.ops('LayerNormalization', xs, { axis: 1, epsilon: 1e-3 }, 3)[0],
  },
  {
    title: 'InstanceNormalization',
    inputs: [[2, 3, 4], [3], [3]],
    build: (g, xs) => g.op('InstanceNormalization', xs, { epsilon: 1e-3 }),
  },
  { title: 'a value used twice', inputs: [[3]], build: (g, [x]) => add(g, mul(g, x, x), div(g, x, 2)) },
  { title: 'powers by a constant', inputs: [[3]], build: (g, [x]) => sub(g, pow(g, x, 2), pow(g, x, 3)) },
]

describe('gradients equal finite differences', () => {
  test.each(cases)('$title', async (c) => {
    await checkGradient(engine, c)
  })
})

test('every rule is checked above', () => {
  const used = new Set<string>()
  for (const c of cases) {
    const g = new GraphBuilder()
    c.build(
      g,
      c.inputs.map((shape, i) => g.input(`x${i}`, 'float32', [...shape])),
    )
    for (const producer of g.producers()) used.add(producer.node.op)
  }
  const flat = new Set(['Sign', 'Round', 'Floor', 'Ceil'])
  expect(Object.keys(gradientTable).filter((op) => !used.has(op) && !flat.has(op))).toEqual([])
})

test('the gradient of a maximum among equals sums to one', async () => {
  const g = new GraphBuilder()
  const x = g.constant(Float32Array.of(1, 1, 1, 1), [1, 1, 2, 2])
  const y = maxPool(g, x, [2, 2])
  g.output('dx', gradients(g, reduceSum(g, y), [x])[0])
  const run = await engine.compile(g.build())
  expect([...((await run.run({})).dx.data as Float32Array)]).toEqual([0.25, 0.25, 0.25, 0.25])
})

test('a declared gradient replaces the rules of its members', async () => {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', [2])
  const y = mul(g, mul(g, x, x), x)
  g.customGradient({ inputs: [x], outputs: [y], rule: ([dy]) => [mul(g, dy!, 7)] })
  g.output('dx', gradients(g, reduceSum(g, mul(g, y, 2)), [x])[0])
  const run = await engine.compile(g.build())
  const { dx } = await run.run({ x: { type: 'float32', shape: [2], data: Float32Array.of(1, 2) } })
  expect([...(dx.data as Float32Array)]).toEqual([14, 14])
})

test('an operator without a gradient is named', () => {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', [2, 2])
  const [y] = g.ops(
    'LSTM',
    [reshape(g, x, [1, 2, 2]), g.input('w', 'float32', [1, 8, 2]), g.input('r', 'float32', [1, 8, 2])],
    { hidden_size: 2 },
    1,
  )
  expect(() => gradients(g, reduceSum(g, y), [x])).toThrow('operator LSTM has no gradient')
})
