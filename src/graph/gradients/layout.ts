// Gradients of operators that move, repeat or select elements: each is the transposed movement.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, isStatic } from '../dims.ts'
import { concat, expand, mul, pad, reduceSum, reshape, slice, transpose, unsqueeze } from '../functions.ts'
import {
  firstGrad,
  type GradientTable,
  input,
  intAttr,
  intsAttr,
  type RuleCall,
  reshapeLike,
  unbroadcast,
  unsupported,
} from './rule.ts'

export const layoutGradients: GradientTable = {
  Reshape: (call) => [reshapeLike(call.g, firstGrad(call), input(call, 0)), null],
  Flatten: (call) => [reshapeLike(call.g, firstGrad(call), input(call, 0))],
  Squeeze: (call) => [reshapeLike(call.g, firstGrad(call), input(call, 0)), null].slice(0, call.inputs.length),
  Unsqueeze: (call) => [reshapeLike(call.g, firstGrad(call), input(call, 0)), null],
  Transpose: (call) => {
    const rank = input(call, 0).shape.length
    const perm = intsAttr(
      call,
      'perm',
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
    )
    const inverse = perm.map((_, axis) => perm.indexOf(axis))
    return [transpose(call.g, firstGrad(call), inverse)]
  },
  Expand: (call) => [unbroadcast(call.g, firstGrad(call), input(call, 0)), null],
  Tile: (call) => {
    const { g } = call
    const x = input(call, 0)
    const repeats = staticContents(call, 1, 'repeats')
    const split = x.shape.flatMap((dim, i) => [repeats[i], dim])
    const axes = x.shape.map((_, i) => 2 * i)
    return [g.refine(reduceSum(g, reshapeOpen(g, firstGrad(call), split), axes), x.shape), null]
  },
  Concat: (call) => {
    const { g } = call
    const rank = call.outputs[0].shape.length
    const axis = wrap(intAttr(call, 'axis', 0), rank)
    const sizes: Dim[] = call.inputs.map((x) => x!.shape[axis])
    const dy = firstGrad(call)
    if (!isStatic(sizes)) return splitAtRunTime(call, dy, axis)
    let start = 0
    return (sizes as readonly number[]).map((size, i) => {
      const from = start
      start += size
      return call.wants(i) ? slice(g, dy, axis, from, start) : null
    })
  },
  Split: (call) => {
    const { g } = call
    const axis = wrap(intAttr(call, 'axis', 0), input(call, 0).shape.length)
    const parts = call.outputs.map((out, i) => call.grads[i] ?? mul(g, out, 0))
    return [concat(g, parts, axis), null].slice(0, call.inputs.length)
  },
  Slice: (call) => [sliceGradient(call), null, null, null, null].slice(0, call.inputs.length),
  Pad: (call) => {
    const { g } = call
    if (![undefined, 'constant'].includes(call.node.attrs.mode as string)) unsupported(call, 'only constant padding')
    const x = input(call, 0)
    const pads = staticContents(call, 1, 'pads')
    const axes = call.inputs[3] ? staticContents(call, 3, 'axes') : x.shape.map((_, i) => i)
    const begins = pads.slice(0, axes.length)
    const ends = pads.slice(axes.length).map((end, i) => {
      const size = x.shape[axes[i]]
      return typeof size === 'number' ? begins[i] + size : end === 0 ? 2 ** 31 - 1 : -end
    })
    const cut = g.op('Slice', [firstGrad(call), g.ints(begins), g.ints(ends), g.ints(axes)])
    return [g.refine(cut, x.shape), null, null, null].slice(0, call.inputs.length)
  },
  Trilu: (call) =>
    [call.g.op('Trilu', [firstGrad(call), call.inputs[1] ?? null], call.node.attrs), null].slice(0, call.inputs.length),
  ReverseSequence: (call) => [call.g.op('ReverseSequence', [firstGrad(call), input(call, 1)], call.node.attrs), null],
  SpaceToDepth: (call) => [call.g.op('DepthToSpace', [firstGrad(call)], { ...call.node.attrs, mode: 'DCR' })],
  DepthToSpace: (call) => {
    if (call.node.attrs.mode === 'CRD') unsupported(call, 'only mode DCR')
    return [call.g.op('SpaceToDepth', [firstGrad(call)], { blocksize: intAttr(call, 'blocksize', 1) })]
  },
}

export function wrap(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

export function staticContents(call: RuleCall, i: number, what: string): readonly number[] {
  const contents = call.g.contentsOf(input(call, i))
  return contents && isStatic(contents) ? contents : unsupported(call, `${what} must be known when the graph is built`)
}

/** Reshape that tolerates one symbolic size. */
function reshapeOpen(g: GraphBuilder, x: Value, shape: readonly (number | string)[]): Value {
  return reshape(
    g,
    x,
    shape.map((dim) => (typeof dim === 'string' ? -1 : dim)),
  )
}

function splitAtRunTime(call: RuleCall, dy: Value, axis: number): Value[] {
  const { g } = call
  const sizes = call.inputs.map((x) => g.op('Shape', [x!], { start: axis, end: axis + 1 }))
  const parts = g.ops('Split', [dy, g.op('Concat', sizes, { axis: 0 })], { axis }, sizes.length)
  return parts.map((part, i) => g.refine(part, call.inputs[i]!.shape))
}

/** Zeros around (and, for steps, between) the gradient. */
function sliceGradient(call: RuleCall): Value {
  const { g } = call
  const x = input(call, 0)
  const rank = x.shape.length
  const starts = staticContents(call, 1, 'starts')
  const ends = staticContents(call, 2, 'ends')
  const axes = call.inputs[3] ? staticContents(call, 3, 'axes') : starts.map((_, i) => i)
  const steps = call.inputs[4] ? staticContents(call, 4, 'steps') : starts.map(() => 1)
  let grad = firstGrad(call)
  const pads = new Array<number>(2 * rank).fill(0)
  axes.forEach((given, k) => {
    const axis = wrap(given, rank)
    const size = x.shape[axis]
    const step = steps[k]
    if (typeof size !== 'number') {
      const wholeEnd = ends[k] >= 2 ** 30 || (ends[k] < 0 && step === 1)
      if (step !== 1 || starts[k] < 0 || !wholeEnd) unsupported(call, `axis ${axis} is symbolic`)
      pads[axis] = starts[k]
      pads[axis + rank] = ends[k] < 0 ? -ends[k] : 0
      return
    }
    const count = grad.shape[axis] as number
    const start = clampStart(starts[k], size, step)
    if (step !== 1) grad = spreadAlong(g, grad, axis, Math.abs(step))
    if (step < 0) grad = reverseAlong(g, grad, axis)
    const first = step > 0 ? start : start + step * (count - 1)
    pads[axis] = first
    pads[axis + rank] = size - first - ((count - 1) * Math.abs(step) + 1)
  })
  return g.refine(pad(g, grad, pads), x.shape)
}

function clampStart(start: number, size: number, step: number): number {
  const at = start < 0 ? start + size : start
  return Math.min(step > 0 ? size : size - 1, Math.max(0, at))
}

/** [.., k, ..] -> [.., (k-1)*step+1, ..] with zeros between the elements. */
function spreadAlong(g: GraphBuilder, x: Value, axis: number, step: number): Value {
  if (step === 1) return x
  const count = x.shape[axis] as number
  const pads = new Array<number>(2 * (x.shape.length + 1)).fill(0)
  pads[axis + 1 + x.shape.length + 1] = step - 1
  const wide = pad(g, unsqueeze(g, x, [axis + 1]), pads)
  const shape: (number | string)[] = [...x.shape]
  shape[axis] = count * step
  return slice(g, reshapeOpen(g, wide, shape), axis, 0, (count - 1) * step + 1)
}

export function reverseAlong(g: GraphBuilder, x: Value, axis: number): Value {
  return g.op('Slice', [x, g.ints([-1]), g.ints([-(2 ** 31)]), g.ints([axis]), g.ints([-1])])
}

/** Zeros shaped like `x`. */
export function zerosLike(g: GraphBuilder, x: Value): Value {
  const shape = isStatic(x.shape) ? g.ints(x.shape) : g.op('Shape', [x])
  return g.refine(expand(g, g.scalar(0, x.type), shape), x.shape)
}
