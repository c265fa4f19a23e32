// Reductions, searches and cumulative sums along axes, and Einsum, each from the list of elements that one result sees.
import {
  flatIndex,
  fromEnd,
  generate,
  input,
  intAttr,
  numbers,
  type RefCall,
  type RefOp,
  type RefTable,
  type RefTensor,
  sizeOf,
  textAttr,
} from './tensor.ts'

/** Axes of a reduction: the second input, or all; none with `noop_with_empty_axes`. */
function axesOf(call: RefCall): number[] {
  const rank = input(call, 0).shape.length
  const given = call.inputs[1] ? numbers(call.inputs[1]).map((axis) => fromEnd(axis, rank)) : []
  if (given.length > 0 || intAttr(call, 'noop_with_empty_axes', 0) === 1) return given
  return Array.from({ length: rank }, (_, axis) => axis)
}

function reduction(f: (elements: readonly number[]) => number): RefOp {
  return (call) => {
    const x = input(call, 0)
    const axes = axesOf(call)
    const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    const groups: number[][] = Array.from({ length: sizeOf(kept) }, () => [])
    generate(x.type, x.shape, (index, flat) => {
      groups[
        flatIndex(
          kept,
          index.map((at, axis) => (axes.includes(axis) ? 0 : at)),
        )
      ].push(x.data[flat])
      return 0
    })
    const shape = intAttr(call, 'keepdims', 1) === 1 ? kept : x.shape.filter((_, axis) => !axes.includes(axis))
    return { type: x.type, shape, data: Float64Array.from(groups, f) }
  }
}

const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0)

const search =
  (better: (a: number, b: number) => boolean): RefOp =>
  (call) => {
    const x = input(call, 0)
    const axis = fromEnd(intAttr(call, 'axis', 0), x.shape.length)
    const lastWins = intAttr(call, 'select_last_index', 0) === 1
    const kept = x.shape.with(axis, 1)
    const found = generate('int64', kept, (index) => {
      let best = 0
      for (let k = 1; k < x.shape[axis]; k++) {
        const [held, next] = [best, k].map((at) => x.data[flatIndex(x.shape, index.with(axis, at))])
        if (better(next, held) || (lastWins && next === held)) best = k
      }
      return best
    })
    const shape = intAttr(call, 'keepdims', 1) === 1 ? kept : kept.filter((_, i) => i !== axis)
    return { ...found, shape }
  }

/** Sums over every letter that the result does not name. */
const einsum: RefOp = (call) => {
  const [left, right] = textAttr(call, 'equation', '').replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const sizes = new Map<string, number>()
  terms.forEach((term, i) => {
    ;[...term].forEach((letter, axis) => {
      sizes.set(letter, input(call, i).shape[axis])
    })
  })
  const summed = [...sizes.keys()].filter((letter) => !right.includes(letter))
  const letters = [...right, ...summed]
  const out = new Float64Array(sizeOf([...right].map((letter) => sizes.get(letter)!)))
  const inner = sizeOf(summed.map((letter) => sizes.get(letter)!))
  generate(
    'float64',
    letters.map((letter) => sizes.get(letter)!),
    (index, flat) => {
      const at = (letter: string) => index[letters.indexOf(letter)]
      const factors = terms.map((term, i) => {
        const x = input(call, i)
        return x.data[flatIndex(x.shape, [...term].map(at))]
      })
      out[Math.floor(flat / inner)] += factors.reduce((a, b) => a * b, 1)
      return 0
    },
  )
  return { type: input(call, 0).type, shape: [...right].map((letter) => sizes.get(letter)!), data: out }
}

export const reductionReference: RefTable = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((xs) => sum(xs) / xs.length),
  ReduceMax: reduction((xs) => Math.max(...xs)),
  ReduceMin: reduction((xs) => Math.min(...xs)),
  ReduceProd: reduction((xs) => xs.reduce((a, b) => a * b, 1)),
  ReduceL1: reduction((xs) => sum(xs.map(Math.abs))),
  ReduceL2: reduction((xs) => Math.sqrt(sum(xs.map((x) => x * x)))),
  ReduceSumSquare: reduction((xs) => sum(xs.map((x) => x * x))),
  ReduceLogSum: reduction((xs) => Math.log(sum(xs))),
  ReduceLogSumExp: reduction((xs) => {
    const highest = Math.max(...xs)
    return highest + Math.log(sum(xs.map((x) => Math.exp(x - highest))))
  }),
  ArgMax: search((a, b) => a > b),
  ArgMin: search((a, b) => a < b),
  CumSum: (call) => {
    const x = input(call, 0)
    const axis = fromEnd(input(call, 1).data[0], x.shape.length)
    const [exclusive, reverse] = [intAttr(call, 'exclusive', 0) === 1, intAttr(call, 'reverse', 0) === 1]
    return generate(x.type, x.shape, (index) => {
      let total = 0
      for (let k = 0; k < x.shape[axis]; k++) {
        const before = reverse ? k > index[axis] : k < index[axis]
        if (before || (k === index[axis] && !exclusive)) total += x.data[flatIndex(x.shape, index.with(axis, k))]
      }
      return total
    })
  },
  TopK: (call) => {
    const x = input(call, 0)
    const axis = fromEnd(intAttr(call, 'axis', -1), x.shape.length)
    const sign = intAttr(call, 'largest', 1) === 1 ? 1 : -1
    const shape = x.shape.with(axis, input(call, 1).data[0])
    const at = (index: readonly number[], k: number) => x.data[flatIndex(x.shape, index.with(axis, k))]
    // Equal elements keep their order.
    const ranked = (index: readonly number[]) =>
      Array.from({ length: x.shape[axis] }, (_, k) => k).sort((a, b) => sign * (at(index, b) - at(index, a)) || a - b)
    const positions: RefTensor = generate('int64', shape, (index) => ranked(index)[index[axis]])
    return [generate(x.type, shape, (index, flat) => at(index, positions.data[flat])), positions]
  },
  Einsum: einsum,
}
