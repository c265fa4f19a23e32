// Simplified graphs compute what the graphs did, on every conformance case, in the float64 reference; and each rule does its work.
import { describe, expect, test } from 'vitest'
import { GraphBuilder, type Value } from '../../src/graph/builder.ts'
import {
  add,
  concat,
  div,
  expand,
  matmul,
  mul,
  neg,
  pad,
  pow,
  reduceSum,
  relu,
  reshape,
  slice,
  sub,
  transpose,
  unsqueeze,
} from '../../src/graph/functions.ts'
import { gradients } from '../../src/graph/gradients/gradients.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { simplify } from '../../src/graph/simplify/simplify.ts'
import { graphCases } from '../conformance/cases/cases.ts'
import { buildCase, titleOf } from '../conformance/graph-case.ts'
import { interpret, toReference } from '../conformance/reference/interpreter.ts'
import type { RefTensor } from '../conformance/reference/tensor.ts'
import { relativeError } from '../conformance/tolerance.ts'

/** Folded constants are rounded to float32, which the reference would not do. */
const ROUNDING = 5e-7

describe('a simplified graph computes the same', () => {
  test.each(graphCases.map((c) => [titleOf(c), c] as const))('%s', (_, c) => {
    const { graph, feeds } = buildCase(c)
    const simpler = simplify(graph)
    expect(simpler.inputs).toEqual(graph.inputs)
    expect(simpler.outputs).toEqual(graph.outputs)
    expect(simpler.nodes.length).toBeLessThanOrEqual(graph.nodes.length + graph.outputs.length)
    const inputs: Record<string, RefTensor> = {}
    for (const [name, t] of Object.entries(feeds)) inputs[name] = toReference(t)
    const [before, after] = [interpret(graph, inputs), interpret(simpler, inputs)]
    for (const { name } of graph.outputs) {
      expect(after[name].shape, name).toEqual(before[name].shape)
      expect(relativeError(after[name].data, before[name], c.floor), name).toBeLessThanOrEqual(ROUNDING)
    }
  })
})

/** Operators left of what `build` makes from x [2, 3, 4]. */
function leftOf(build: (g: GraphBuilder, x: Value) => Value, symbolic = false): string[] {
  const g = new GraphBuilder()
  g.output('y', build(g, g.input('x', 'float32', [symbolic ? 'n' : 2, 3, 4])))
  return simplify(g.build()).nodes.map((node) => node.op)
}

const rules: [title: string, build: (g: GraphBuilder, x: Value) => Value, left: string[]][] = [
  ['adding zero and multiplying by one', (g, x) => relu(g, mul(g, add(g, x, 0), 1)), ['Relu']],
  [
    'a neutral element that widens is kept',
    (g, x) => mul(g, reshape(g, x, [24, 1]), g.floats([1, 1])),
    ['Reshape', 'Mul'],
  ],
  ['scalars in a row', (g, x) => div(g, mul(g, neg(g, mul(g, x, 2)), 4), 3), ['Mul']],
  ['two negations', (g, x) => relu(g, neg(g, neg(g, x))), ['Relu']],
  ['a negated summand', (g, x) => add(g, relu(g, x), neg(g, x)), ['Relu', 'Sub']],
  ['a negated difference', (g, x) => neg(g, sub(g, x, relu(g, x))), ['Relu', 'Sub']],
  ['the square', (g, x) => pow(g, x, 2), ['Mul']],
  ['the first power', (g, x) => relu(g, pow(g, x, 1)), ['Relu']],
  [
    'an expansion before a product',
    (g, x) => mul(g, x, expand(g, reduceSum(g, x, [2], true), [2, 3, 4])),
    ['ReduceSum', 'Mul'],
  ],
  [
    'an expansion that decides the shape is kept',
    (g, x) => mul(g, expand(g, reduceSum(g, x, [2], true), [2, 3, 4]), 2),
    ['ReduceSum', 'Expand', 'Mul'],
  ],
  ['reshapes in a row', (g, x) => unsqueeze(g, reshape(g, reshape(g, x, [6, 4]), [4, 6]), [0]), ['Reshape']],
  ['reshapes that return', (g, x) => relu(g, reshape(g, reshape(g, x, [6, 4]), [2, 3, 4])), ['Relu']],
  ['transposes that return', (g, x) => relu(g, transpose(g, transpose(g, x, [1, 2, 0]), [2, 0, 1])), ['Relu']],
  ['transposes in a row', (g, x) => transpose(g, transpose(g, x, [1, 2, 0]), [1, 0, 2]), ['Transpose']],
  ['a transpose of ones', (g, x) => transpose(g, reshape(g, x, [24, 1]), [1, 0]), ['Reshape']],
  ['a transposed factor', (g, x) => matmul(g, x, transpose(g, x, [0, 2, 1])), ['FusedMatMul']],
  ['a slice of all', (g, x) => relu(g, slice(g, x, 1, 0, 3)), ['Relu']],
  [
    'the same from behind is kept',
    (g, x) => g.op('Slice', [x, g.ints([-1]), g.ints([-100]), g.ints([1]), g.ints([-1])]),
    ['Slice'],
  ],
  ['parts of parts', (g, x) => concat(g, [x, concat(g, [relu(g, x), x], 1)], 1), ['Relu', 'Concat']],
  [
    'neighbours padded to the whole',
    (g, x) => add(g, pad(g, x, [0, 0, 0, 0, 3, 0]), pad(g, relu(g, x), [0, 3, 0, 0, 0, 0])),
    ['Relu', 'Concat'],
  ],
  [
    'overlapping pads are kept',
    (g, x) => add(g, pad(g, x, [0, 0, 0, 0, 1, 0]), pad(g, x, [0, 1, 0, 0, 0, 0])),
    ['Pad', 'Pad', 'Add'],
  ],
  ['sums over one element', (g, x) => relu(g, reduceSum(g, reshape(g, x, [24, 1]), [1])), ['Reshape', 'Relu']],
  ['equal nodes', (g, x) => add(g, mul(g, relu(g, x), 3), mul(g, relu(g, x), 3)), ['Relu', 'Mul', 'Add']],
  ['constants', (g, x) => mul(g, x, div(g, g.op('Sqrt', [g.floats([4])]), add(g, g.scalar(1), 1))), ['Identity']],
]

describe('rules', () => {
  test.each(rules)('%s', (_, build, left) => {
    expect(leftOf(build)).toEqual(left)
  })

  test('sizes that are known are folded, those of the batch are not', () => {
    const shape = (g: GraphBuilder, x: Value) => g.op('Cast', [g.op('Shape', [x])], { to: 'float32' })
    expect(leftOf(shape)).toEqual(['Cast'])
    expect(leftOf(shape, true)).toEqual(['Shape', 'Cast'])
  })

  test('reshapes keep an unknown batch', () => {
    const build = (g: GraphBuilder, x: Value) => reshape(g, reshape(g, x, ['n', 12]), ['n', 4, 3])
    expect(leftOf(build, true)).toEqual(['Reshape'])
  })

  test('the gradients of slices that cover a tensor become one concatenation', () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [2, 6])
    const parts = [0, 1, 2].map((i) => slice(g, x, 1, 2 * i, 2 * i + 2))
    const y = add(g, mul(g, parts[0], parts[1]), relu(g, parts[2]))
    g.output('dx', gradients(g, reduceSum(g, mul(g, y, y)), [x])[0])
    const ops = simplify(g.build()).nodes.map((node) => node.op)
    expect(ops.filter((op) => op === 'Concat')).toHaveLength(1)
    expect(ops).not.toContain('Pad')
  })

  test('outputs keep their names when they become an input, a constant, or each other', () => {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', [2])
    g.output('same', add(g, x, 0))
    g.output('twin', mul(g, x, 1))
    g.output('known', add(g, g.floats([1]), 1))
    const graph = simplify(g.build())
    const values = interpret(graph, { x: { type: 'float32', shape: [2], data: Float64Array.of(3, 4) } })
    expect(Object.entries(values).map(([name, { data }]) => [name, ...data])).toEqual([
      ['same', 3, 4],
      ['twin', 3, 4],
      ['known', 2],
    ])
  })

  test('a second pass finds nothing', () => {
    for (const c of graphCases) {
      const once = simplify(buildCase(c).graph)
      expect(opsOf(simplify(once)), titleOf(c)).toEqual(opsOf(once))
    }
  })
})

const opsOf = (graph: Graph) => graph.nodes.map((node) => node.op)
