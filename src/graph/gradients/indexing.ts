// Gradients of gathers and scatters. Embeddings are Gather on axis 0: their gradient adds rows into a table of zeros.
import { cast, concat, mul, range, reshape, transpose, unsqueeze } from '../functions.ts'
import { wrap, zerosLike } from './layout.ts'
import { firstGrad, type GradientTable, input, intAttr, reshapeLike, unsupported } from './rule.ts'

export const indexingGradients: GradientTable = {
  Gather: (call) => {
    const { g } = call
    const [x, indices] = [input(call, 0), input(call, 1)]
    const axis = wrap(intAttr(call, 'axis', 0), x.shape.length)
    const rank = indices.shape.length
    // Bring the index axes to the front, scatter-add rows, bring the axis back.
    const dy = firstGrad(call)
    const order = [...dy.shape.keys()]
    const front = [...order.slice(axis, axis + rank), ...order.slice(0, axis), ...order.slice(axis + rank)]
    const updates = transpose(g, dy, front)
    const xOrder = [...x.shape.keys()]
    const xFront = [axis, ...xOrder.filter((i) => i !== axis)]
    const zeros = transpose(g, zerosLike(g, x), xFront)
    const summed = g.op('ScatterND', [zeros, unsqueeze(g, cast(g, indices, 'int64'), [rank]), updates], {
      reduction: 'add',
    })
    const back = transpose(
      g,
      summed,
      xOrder.map((i) => xFront.indexOf(i)),
    )
    return [g.refine(back, x.shape), null]
  },
  GatherElements: (call) => {
    const axis = intAttr(call, 'axis', 0)
    const zeros = zerosLike(call.g, input(call, 0))
    return [call.g.op('ScatterElements', [zeros, input(call, 1), firstGrad(call)], { axis, reduction: 'add' }), null]
  },
  GatherND: (call) => {
    const { g } = call
    if (intAttr(call, 'batch_dims', 0) !== 0) return [batchedGatherNd(call), null]
    const zeros = zerosLike(g, input(call, 0))
    return [g.op('ScatterND', [zeros, input(call, 1), firstGrad(call)], { reduction: 'add' }), null]
  },
  ScatterElements: (call) => {
    const { g } = call
    const axis = intAttr(call, 'axis', 0)
    const [indices, updates] = [input(call, 1), input(call, 2)]
    const dy = firstGrad(call)
    const mode = call.node.attrs.reduction ?? 'none'
    if (mode !== 'none' && mode !== 'add') unsupported(call, `reduction ${mode}`)
    const cleared = () => g.op('ScatterElements', [dy, indices, mul(g, updates, 0)], { axis })
    return [
      call.wants(0) ? (mode === 'add' ? dy : cleared()) : null,
      null,
      call.wants(2) ? g.op('GatherElements', [dy, indices], { axis }) : null,
    ]
  },
  ScatterND: (call) => {
    const { g } = call
    const [indices, updates] = [input(call, 1), input(call, 2)]
    const dy = firstGrad(call)
    const mode = call.node.attrs.reduction ?? 'none'
    if (mode !== 'none' && mode !== 'add') unsupported(call, `reduction ${mode}`)
    const cleared = () => g.op('ScatterND', [dy, indices, mul(g, updates, 0)])
    return [
      call.wants(0) ? (mode === 'add' ? dy : cleared()) : null,
      null,
      call.wants(2) ? g.refine(g.op('GatherND', [dy, indices]), updates.shape) : null,
    ]
  },
}

/** One leading batch axis: the batch number becomes the first index. */
function batchedGatherNd(call: Parameters<GradientTable[string]>[0]) {
  const { g } = call
  const [x, indices] = [input(call, 0), input(call, 1)]
  if (intAttr(call, 'batch_dims', 0) !== 1) unsupported(call, 'more than one batch axis')
  const size = reshape(g, g.op('Shape', [x], { start: 0, end: 1 }), [])
  const ones = new Array<number>(indices.shape.length - 1).fill(1)
  const numbers = reshape(g, range(g, 0, size), [-1, ...ones])
  const column = g.op('Slice', [indices, g.ints([0]), g.ints([1]), g.ints([indices.shape.length - 1])])
  const rows = g.op('Add', [mul(g, column, 0), numbers])
  const full = concat(g, [g.refine(rows, column.shape), indices], indices.shape.length - 1)
  const summed = g.op('ScatterND', [zerosLike(g, x), full, firstGrad(call)], { reduction: 'add' })
  return reshapeLike(g, summed, x)
}
