// Gradients of convolutions. With y = conv(x, w):
//   dx is dy convolved with the flipped weights (stride 1) or a transposed convolution (any stride);
//   dw[o, i, k] = sum over examples and places of dy[o, .] x[i, . + k], itself a convolution with the roles of the axes exchanged:
//   channels become examples, examples become channels, strides become dilations. Groups are folded into that one convolution.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, isStatic } from '../dims.ts'
import { gather, mul, reduceSum, reshape, slice, transpose } from '../functions.ts'
import { firstGrad, type GradientTable, input, intAttr, intsAttr, type RuleCall, unsupported } from './rule.ts'

export interface ConvGeometry {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  /** All begins, then all ends. */
  pads: readonly number[]
  group: number
}

export const convolutionGradients: GradientTable = {
  Conv: (call) => {
    const { g } = call
    const [x, w] = [input(call, 0), input(call, 1)]
    const geometry = geometryOf(call, w)
    const dy = firstGrad(call)
    return [
      call.wants(0) ? convInputGradient(g, dy, w, geometry, x.shape) : null,
      call.wants(1) ? convWeightGradient(g, x, dy, geometry) : null,
      call.inputs[2] && call.wants(2) ? channelSum(g, dy) : null,
    ].slice(0, call.inputs.length)
  },
  ConvTranspose: (call) => {
    const { g } = call
    const [x, w] = [input(call, 0), input(call, 1)]
    const { kernel, strides, dilations, pads, group } = geometryOf(call, w)
    const dy = firstGrad(call)
    const attrs = { kernel_shape: kernel, strides, dilations, pads, group }
    return [
      call.wants(0) ? g.op('Conv', [dy, w], attrs) : null,
      call.wants(1) ? convWeightGradient(g, dy, x, { kernel, strides, dilations, pads, group }) : null,
      call.inputs[2] && call.wants(2) ? channelSum(g, dy) : null,
    ].slice(0, call.inputs.length)
  },
}

function geometryOf(call: RuleCall, w: Value): ConvGeometry {
  const kernel = w.shape.slice(2)
  const space = call.inputs[0]!.shape.slice(2)
  if (!isStatic(kernel) || !isStatic(space)) return unsupported(call, 'spatial sizes must be static')
  if (!['NOTSET', undefined].includes(call.node.attrs.auto_pad as string)) unsupported(call, 'pads must be explicit')
  const ones = kernel.map(() => 1)
  return {
    kernel,
    strides: intsAttr(call, 'strides', ones),
    dilations: intsAttr(call, 'dilations', ones),
    pads: intsAttr(call, 'pads', [...ones, ...ones].fill(0)),
    group: intAttr(call, 'group', 1),
  }
}

/** dy [n, o, ...] -> dx [n, i, ...space] */
export function convInputGradient(
  g: GraphBuilder,
  dy: Value,
  w: Value,
  { kernel, strides, dilations, pads, group }: ConvGeometry,
  xShape: readonly Dim[],
): Value {
  const rank = kernel.length
  const reach = kernel.map((k, i) => (k - 1) * dilations[i])
  const space = xShape.slice(2) as number[]
  const mirrored = [...pads.keys()].map((i) => reach[i % rank] - pads[i])
  if (strides.every((s) => s === 1) && mirrored.every((p) => p >= 0)) {
    const attrs = { kernel_shape: kernel, strides, dilations, pads: mirrored, group }
    return g.op('Conv', [dy, flippedWeights(g, w, group)], attrs)
  }
  const output_padding = space.map((size, i) => {
    const reached = strides[i] * ((dy.shape[i + 2] as number) - 1) + reach[i] + 1 - pads[i] - pads[i + rank]
    return size - reached
  })
  const attrs = { kernel_shape: kernel, strides, dilations, pads, group, output_padding }
  return g.op('ConvTranspose', [dy, w], attrs)
}

/** w [o, i/group, ...kernel] -> [i, o/group, ...kernel], every kernel turned by 180 degrees. */
export function flippedWeights(g: GraphBuilder, w: Value, group: number): Value {
  const [out, inPerGroup, ...kernel] = w.shape as number[]
  const size = kernel.reduce((a, b) => a * b, 1)
  const grouped = reshape(g, w, [group, out / group, inPerGroup, size])
  const flipped =
    size === 1 ? grouped : gather(g, grouped, g.ints(Array.from({ length: size }, (_, i) => size - 1 - i)), 3)
  return reshape(g, transpose(g, flipped, [0, 2, 1, 3]), [group * inPerGroup, out / group, ...kernel])
}

/** x [n, i, ...], dy [n, o, ...] -> dw [o, i/group, ...kernel] */
export function convWeightGradient(g: GraphBuilder, x: Value, dy: Value, geometry: ConvGeometry): Value {
  const { kernel, strides, dilations, pads, group } = geometry
  const space = x.shape.slice(2) as number[]
  const inputs = x.shape[1] as number
  const perGroup = inputs / group
  const rest = space.map((_, i) => i + 2)
  // [n, group, i/group, ...] -> [i/group, group, n, ...] -> [i/group, group*n, ...]
  let examples: Value
  if (group === 1) examples = transpose(g, x, [1, 0, ...rest])
  else {
    const split = reshape(g, x, [-1, group, perGroup, ...space])
    const turned = transpose(g, split, [2, 1, 0, ...rest.map((axis) => axis + 1)])
    examples = reshape(g, turned, [perGroup, -1, ...space])
    if (typeof x.shape[0] === 'number') examples = g.refine(examples, [perGroup, group * x.shape[0], ...space])
  }
  const filters = transpose(g, dy, [1, 0, ...rest])
  const attrs = { kernel_shape: dy.shape.slice(2) as number[], strides: dilations, dilations: strides, pads, group }
  let dw = g.op('Conv', [examples, filters], attrs)
  kernel.forEach((size, i) => {
    if (dw.shape[i + 2] !== size) dw = slice(g, dw, i + 2, 0, size)
  })
  return transpose(g, dw, [1, 0, ...rest])
}

/** [n, c, ...] -> [c] */
export function channelSum(g: GraphBuilder, x: Value): Value {
  return reduceSum(
    g,
    x,
    [...x.shape.keys()].filter((axis) => axis !== 1),
  )
}

/** x [n, c, ...] times a vector [c]. */
export function scaleChannels(g: GraphBuilder, x: Value, scale: Value): Value {
  return mul(g, x, asChannels(g, scale, x.shape.length))
}

/** [c] -> [1, c, 1, ...] */
export function asChannels(g: GraphBuilder, vector: Value, rank: number): Value {
  return reshape(g, vector, [1, vector.shape[0], ...new Array<number>(rank - 2).fill(1)])
}
