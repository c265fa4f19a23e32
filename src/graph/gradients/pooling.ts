// Gradients of pooling. Windows that tile the input are undone by repeating (tied maxima share the gradient); overlapping maxima
// scatter to the winners' positions, overlapping means are a transposed convolution.
import type { GraphBuilder, Value } from '../builder.ts'
import { isStatic, productOfDims } from '../dims.ts'
import { div, expand, mul, pad, reshape, unsqueeze } from '../functions.ts'
import {
  expandLike,
  firstGrad,
  type GradientTable,
  input,
  intAttr,
  intsAttr,
  type RuleCall,
  reshapeLike,
  unsupported,
} from './rule.ts'

export const poolingGradients: GradientTable = {
  MaxPool: (call) => [tiles(call) ? tiledMax(call) : scatteredMax(call)],
  AveragePool: (call) => [averageGradient(call)],
  GlobalAveragePool: (call) => {
    const { g } = call
    const x = input(call, 0)
    const count = productOfDims(x.shape.slice(2))
    if (typeof count !== 'number') return unsupported(call, 'spatial sizes must be static')
    return [expandLike(g, div(g, firstGrad(call), count), x)]
  },
  GlobalMaxPool: (call) => [call.g.op('grad.GlobalMaxPool', [input(call, 0), call.outputs[0], firstGrad(call)])],
}

interface PoolGeometry {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  pads: readonly number[]
  space: readonly number[]
  out: readonly number[]
}

function geometryOf(call: RuleCall): PoolGeometry {
  const space = input(call, 0).shape.slice(2)
  const out = call.outputs[0].shape.slice(2)
  if (!isStatic(space) || !isStatic(out)) return unsupported(call, 'spatial sizes must be static')
  const ones = space.map(() => 1)
  return {
    kernel: intsAttr(call, 'kernel_shape', ones),
    strides: intsAttr(call, 'strides', ones),
    dilations: intsAttr(call, 'dilations', ones),
    pads: intsAttr(call, 'pads', [...ones, ...ones].fill(0)),
    space,
    out,
  }
}

/** Whether windows neither overlap nor reach outside. */
function tiles(call: RuleCall): boolean {
  const { kernel, strides, dilations, pads, space, out } = geometryOf(call)
  return (
    kernel.every((k, i) => k === strides[i] && dilations[i] === 1 && out[i] * k <= space[i]) &&
    pads.every((p) => p === 0)
  )
}

function fromWindows(g: GraphBuilder, windows: Value, x: Value, { kernel, out, space }: PoolGeometry): Value {
  const covered = out.map((o, i) => o * kernel[i])
  const flat = reshape(g, windows, [x.shape[0], x.shape[1], ...covered])
  const ends = covered.map((size, i) => space[i] - size)
  return g.refine(pad(g, flat, [0, 0, ...covered.map(() => 0), 0, 0, ...ends]), x.shape)
}

function tiledMax(call: RuleCall): Value {
  const { kernel } = geometryOf(call)
  return call.g.op('grad.MaxPoolTiles', [input(call, 0), call.outputs[0], firstGrad(call)], { kernel_shape: kernel })
}

/** Positions of the winners, over the whole flattened input, come from a second MaxPool. */
function scatteredMax(call: RuleCall): Value {
  const { g } = call
  const x = input(call, 0)
  const [, winners] = g.ops('MaxPool', [x], call.node.attrs, 2)
  const flat = (v: Value) => reshape(g, v, [-1])
  const zeros = mul(g, flat(x), 0)
  const summed = g.op('ScatterElements', [zeros, flat(winners), flat(firstGrad(call))], { axis: 0, reduction: 'add' })
  return reshapeLike(g, summed, x)
}

function averageGradient(call: RuleCall): Value {
  const { g } = call
  const x = input(call, 0)
  const geometry = geometryOf(call)
  const { kernel, strides, dilations, pads, space, out } = geometry
  const size = kernel.reduce((a, b) => a * b, 1)
  if (tiles(call)) {
    const share = unsqueeze(
      g,
      mul(g, firstGrad(call), 1 / size),
      kernel.map((_, i) => 3 + 2 * i),
    )
    const windows = out.flatMap((o, i) => [o, kernel[i]])
    const target = g.op('Concat', [g.op('Shape', [x], { start: 0, end: 2 }), g.ints(windows)], { axis: 0 })
    return fromWindows(g, g.refine(expand(g, share, target), [x.shape[0], x.shape[1], ...windows]), x, geometry)
  }
  if (intAttr(call, 'ceil_mode', 0) === 1) return unsupported(call, 'overlapping windows in ceil mode')
  const rank = kernel.length
  const planes = reshape(g, divideByWindow(call, geometry), [-1, 1, ...out])
  const output_padding = space.map((s, i) => {
    const reached = strides[i] * (out[i] - 1) + (kernel[i] - 1) * dilations[i] + 1 - pads[i] - pads[i + rank]
    return s - reached
  })
  const ones = g.constant(new Float32Array(size).fill(1), [1, 1, ...kernel])
  const attrs = { kernel_shape: kernel, strides, dilations, pads, output_padding }
  return reshapeLike(g, g.op('ConvTranspose', [planes, ones], attrs), x)
}

/** dy over the number of elements that each window averages. */
function divideByWindow(call: RuleCall, { kernel, strides, dilations, pads, space, out }: PoolGeometry): Value {
  const { g } = call
  const dy = firstGrad(call)
  const size = kernel.reduce((a, b) => a * b, 1)
  if (intAttr(call, 'count_include_pad', 0) === 1 || pads.every((p) => p === 0)) return mul(g, dy, 1 / size)
  const along = kernel.map((k, axis) =>
    Array.from({ length: out[axis] }, (_, o) => {
      const places = Array.from({ length: k }, (_, j) => o * strides[axis] - pads[axis] + j * dilations[axis])
      return places.filter((at) => at >= 0 && at < space[axis]).length
    }),
  )
  const counts = along.reduce<number[]>((left, right) => left.flatMap((a) => right.map((b) => a * b)), [1])
  return div(g, dy, g.constant(Float32Array.from(counts), [1, 1, ...out]))
}
