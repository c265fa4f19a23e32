// Reductions, cumulative sums and searches along axes.
import { type Dim, unifyDims } from '../dims.ts'
import type { DataType } from '../graph.ts'
import type { OpCall, OpSpec, OpTable } from './spec.ts'

/** Axes come as an optional second input (opset 18); none means all, unless `noop_with_empty_axes`. */
const reduction: OpSpec = {
  arity: [1, 2],
  attrs: { keepdims: 'int', noop_with_empty_axes: 'int' },
  infer: (c) => {
    const { type, shape } = c.in(0)
    const axes = c.optional(1) ? c.known(1, 'axes') : []
    if (axes.length === 0 && c.int('noop_with_empty_axes', 0) === 1) return [{ type, shape }]
    const reduced = axes.length === 0 ? shape.map((_, i) => i) : axes.map((axis) => c.checkAxis(axis, shape.length))
    return [{ type, shape: dropAxes(shape, reduced, c.int('keepdims', 1) === 1) }]
  },
}

function dropAxes(shape: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  return keep ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i))
}

const search: OpSpec = {
  arity: [1, 1],
  attrs: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
  infer: (c) => {
    const { shape } = c.in(0)
    return [{ type: 'int64', shape: dropAxes(shape, [c.axis(shape.length, 0)], c.int('keepdims', 1) === 1) }]
  },
}

export const reductionOps: OpTable = {
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceSumSquare: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ArgMax: search,
  ArgMin: search,
  CumSum: {
    arity: [2, 2],
    attrs: { exclusive: 'int', reverse: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: c.in(0).shape }],
  },
  TopK: {
    arity: [2, 2],
    attrs: { axis: 'int', largest: 'int', sorted: 'int' },
    outputs: 2,
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axis = c.axis(shape.length, -1)
      const k = c.contents(1)?.[0] ?? `topk(${c.in(1).name})`
      const out = shape.map((dim, i) => (i === axis ? k : dim))
      return [
        { type, shape: out },
        { type: 'int64', shape: out },
      ]
    },
  },
  Einsum: {
    arity: [1, Number.POSITIVE_INFINITY],
    attrs: { equation: 'string' },
    infer: inferEinsum,
  },
}

/** Equations name every axis by a letter; ellipsis is left out on purpose. */
function inferEinsum(c: OpCall): { type: DataType; shape: Dim[] }[] {
  const equation = c.text('equation', '').replaceAll(' ', '')
  const [left, right] = equation.split('->')
  const terms = left.split(',')
  if (right === undefined || terms.length !== c.inputs.length) c.fail(`equation "${equation}" does not fit the inputs`)
  const sizes = new Map<string, Dim>()
  terms.forEach((term, i) => {
    const { shape } = c.in(i)
    if (term.length !== shape.length) c.fail(`term "${term}" names ${term.length} axes`)
    shape.forEach((dim, k) => {
      const size = unifyDims(sizes.get(term[k]) ?? dim, dim)
      sizes.set(term[k], size ?? c.fail(`axis ${term[k]} has two sizes, ${sizes.get(term[k])} and ${dim}`))
    })
  })
  const shape = [...right].map((letter) => sizes.get(letter) ?? c.fail(`axis ${letter} is not in the inputs`))
  return [{ type: c.sameType(...c.inputs.map((_, i) => i)), shape }]
}
