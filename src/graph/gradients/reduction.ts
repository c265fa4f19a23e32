// Gradients of reductions, cumulative sums, TopK and Einsum.
import type { Value } from '../builder.ts'
import { productOfDims } from '../dims.ts'
import { cast, div, equal, exp, mul, reduceProd, reduceSum, sign, sub, unsqueeze, where } from '../functions.ts'
import { expandLike, firstGrad, type GradientTable, input, intAttr, type RuleCall, unsupported } from './rule.ts'

export const reductionGradients: GradientTable = {
  ReduceSum: (call) => [expandLike(call.g, spread(call, firstGrad(call)), input(call, 0)), null],
  ReduceMean: (call) => {
    const { g } = call
    const scaled = div(g, spread(call, firstGrad(call)), reducedCount(call))
    return [expandLike(g, scaled, input(call, 0)), null]
  },
  ReduceMax: (call) => (reducesSpace(call) ? [planeMaximum(call), null] : shareAmongExtrema(call)),
  ReduceMin: shareAmongExtrema,
  ReduceProd: (call) => {
    const { g } = call
    const x = input(call, 0)
    const total = spread(call, mul(g, firstGrad(call), call.outputs[0]))
    return [div(g, total, x), null]
  },
  ReduceL1: (call) => [mul(call.g, spread(call, firstGrad(call)), sign(call.g, input(call, 0))), null],
  ReduceL2: (call) => {
    const { g } = call
    const norm = call.outputs[0]
    // At 0 the norm has no gradient; 0 is taken.
    const scaled = where(g, equal(g, norm, 0), 0, div(g, firstGrad(call), norm))
    return [mul(g, spread(call, scaled), input(call, 0)), null]
  },
  ReduceSumSquare: (call) => {
    const { g } = call
    return [mul(g, spread(call, mul(g, firstGrad(call), 2)), input(call, 0)), null]
  },
  ReduceLogSum: (call) => {
    const { g } = call
    return [expandLike(g, spread(call, div(g, firstGrad(call), exp(g, call.outputs[0]))), input(call, 0)), null]
  },
  ReduceLogSumExp: (call) => {
    const { g } = call
    const weights = exp(g, sub(g, input(call, 0), spread(call, call.outputs[0])))
    return [mul(g, spread(call, firstGrad(call)), weights), null]
  },
  CumSum: (call) => {
    const attrs = { ...call.node.attrs, reverse: 1 - intAttr(call, 'reverse', 0) }
    return [call.g.op('CumSum', [firstGrad(call), input(call, 1)], attrs), null]
  },
  TopK: (call) => {
    const { g } = call
    const x = input(call, 0)
    const zeros = mul(g, x, 0)
    const axis = intAttr(call, 'axis', -1)
    return [g.op('ScatterElements', [zeros, call.outputs[1], firstGrad(call)], { axis }), null]
  },
  Einsum: (call) => {
    const [left, right] = String(call.node.attrs.equation).replaceAll(' ', '').split('->')
    const terms = left.split(',')
    return terms.map((term, i) => {
      if (!call.wants(i)) return null
      const others = terms.flatMap((t, k) => (k === i ? [] : [t]))
      const visible = new Set([...right, ...others.join('')])
      if ([...term].some((axis) => !visible.has(axis))) return unsupported(call, 'an axis is summed within one input')
      const inputs = call.inputs.filter((_, k) => k !== i) as Value[]
      return call.g.op('Einsum', [firstGrad(call), ...inputs], { equation: `${[right, ...others].join(',')}->${term}` })
    })
  },
}

/** The axes that were reduced, counted from the front. */
function reducedAxes(call: RuleCall): number[] {
  const rank = input(call, 0).shape.length
  const given = call.inputs[1] ? call.g.contentsOf(call.inputs[1]) : undefined
  if (given === undefined || given.length === 0) return Array.from({ length: rank }, (_, i) => i)
  return given.map((axis) => (Number(axis) < 0 ? Number(axis) + rank : Number(axis))).sort((a, b) => a - b)
}

/** Puts reduced axes back as size 1. */
function spread(call: RuleCall, value: Value): Value {
  return intAttr(call, 'keepdims', 1) === 1 ? value : unsqueeze(call.g, value, reducedAxes(call))
}

function reducedCount(call: RuleCall): Value | number {
  const { g } = call
  const x = input(call, 0)
  const count = productOfDims(reducedAxes(call).map((axis) => x.shape[axis]))
  if (typeof count === 'number') return count
  const sizes = reducedAxes(call).map((axis) => g.op('Shape', [x], { start: axis, end: axis + 1 }))
  return cast(g, reduceProd(g, g.op('Concat', sizes, { axis: 0 })), x.type)
}

/** Whether all axes but examples and channels are reduced. */
function reducesSpace(call: RuleCall): boolean {
  const { shape } = input(call, 0)
  const axes = reducedAxes(call)
  return shape.length > 2 && axes.length === shape.length - 2 && !axes.includes(0) && !axes.includes(1)
}

function planeMaximum(call: RuleCall): Value {
  const [y, dy] = [call.outputs[0], firstGrad(call)].map((v) => spread(call, v))
  return call.g.op('grad.GlobalMaxPool', [input(call, 0), y, dy])
}

/** Equal extrema share the gradient. */
function shareAmongExtrema(call: RuleCall): (Value | null)[] {
  const { g } = call
  const x = input(call, 0)
  const isExtremum = cast(g, equal(g, x, spread(call, call.outputs[0])), x.type)
  const count = reduceSum(g, isExtremum, reducedAxes(call), true)
  return [mul(g, isExtremum, div(g, spread(call, firstGrad(call)), count)), null]
}
