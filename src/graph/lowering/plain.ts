// Macro gradients written out in plain ONNX operators, for every geometry. With y = conv(x, w):
//   dx is dy convolved with the flipped weights (stride 1) or a transposed convolution (any stride);
//   dw[o, i, k] = sum over examples and places of dy[o, .] x[i, . + k]: either a product of dy with the gathered windows of x
//   ("im2col"), or itself a convolution with the roles of the axes exchanged: channels become examples, examples become channels,
//   strides become dilations. Groups are folded into that one convolution.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, isStatic } from '../dims.ts'
import {
  add,
  cast,
  concat,
  div,
  equal,
  gather,
  gemm,
  mul,
  pad,
  reduceSum,
  reshape,
  slice,
  transpose,
  unsqueeze,
} from '../functions.ts'
import { asChannels, type ConvGeometry } from '../gradients/convolution.ts'

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
  const shapesKnown = isStatic(x.shape) && isStatic(dy.shape)
  if (geometry.group === 1 && shapesKnown) return windowedWeightGradient(g, x, dy, geometry)
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

/**
 * The same by im2col, for one group and static sizes. All examples in one product, or one product per example where the
 * products are so small that summing them is cheaper than bringing the channels to the front.
 */
function windowedWeightGradient(g: GraphBuilder, x: Value, dy: Value, geometry: ConvGeometry): Value {
  const { kernel, strides, dilations, pads } = geometry
  const rank = kernel.length
  const [n, inputs] = x.shape as number[]
  const outputs = dy.shape[1] as number
  const out = dy.shape.slice(2) as number[]
  const places = out.reduce((a, b) => a * b, 1)
  const size = kernel.reduce((a, b) => a * b, 1)
  const perExample = size * inputs * outputs <= places * 32
  const swap = [1, 0, ...kernel.map((_, i) => i + 2)]
  const padded = pad(g, perExample ? x : transpose(g, x, swap), [
    0,
    0,
    ...pads.slice(0, rank),
    0,
    0,
    ...pads.slice(rank),
  ])
  const axes = g.ints(kernel.map((_, i) => i + 2))
  const shifts = kernel.reduce<number[][]>(
    (all, k) => all.flatMap((s) => Array.from({ length: k }, (_, i) => [...s, i])),
    [[]],
  )
  const windows = shifts.map((shift) => {
    const starts = shift.map((s, i) => s * dilations[i])
    const ends = starts.map((start, i) => start + (out[i] - 1) * strides[i] + 1)
    return g.op('Slice', [padded, g.ints(starts), g.ints(ends), axes, g.ints(strides)])
  })
  let dw: Value
  if (perExample) {
    const columns = reshape(g, concat(g, windows, 1), [n, size * inputs, places])
    dw = reduceSum(g, g.op('FusedMatMul', [reshape(g, dy, [n, outputs, places]), columns], { transB: 1 }), [0])
  } else {
    const columns = reshape(g, concat(g, windows, 0), [size * inputs, n * places])
    dw = gemm(g, reshape(g, transpose(g, dy, swap), [outputs, n * places]), columns, null, { transB: true })
  }
  const ordered = transpose(g, reshape(g, dw, [outputs, size, inputs]), [0, 2, 1])
  return reshape(g, ordered, [outputs, inputs, ...kernel])
}

/** x, y = maxpool(x), dy; windows tile the covered part of x. */
export function maxPoolTilesGradient(g: GraphBuilder, x: Value, y: Value, dy: Value, kernel: readonly number[]): Value {
  const space = x.shape.slice(2) as number[]
  const out = y.shape.slice(2) as number[]
  const axes = kernel.map((_, i) => 3 + 2 * i)
  let cropped = x
  out.forEach((o, i) => {
    if (o * kernel[i] !== space[i]) cropped = slice(g, cropped, i + 2, 0, o * kernel[i])
  })
  const windows = reshape(g, cropped, [x.shape[0], x.shape[1], ...out.flatMap((o, i) => [o, kernel[i]])])
  const winners = cast(g, equal(g, windows, unsqueeze(g, y, axes)), x.type)
  const share = div(g, unsqueeze(g, dy, axes), reduceSum(g, winners, axes, true))
  const covered = out.map((o, i) => o * kernel[i])
  const flat = reshape(g, mul(g, winners, share), [x.shape[0], x.shape[1], ...covered])
  return pad(g, flat, [0, 0, ...covered.map(() => 0), 0, 0, ...covered.map((size, i) => space[i] - size)])
}

/** x [n, c, ...], y = the maximum of each plane [n, c, 1, ...], dy like y */
export function globalMaxPoolGradient(g: GraphBuilder, x: Value, y: Value, dy: Value): Value {
  const winners = cast(g, equal(g, x, y), x.type)
  const axes = x.shape.slice(2).map((_, i) => i + 2)
  return mul(g, winners, div(g, dy, reduceSum(g, winners, axes, true)))
}

/** x a + b (+ z), vectors per channel. */
export function channelAffine(g: GraphBuilder, x: Value, a: Value, b: Value, z: Value | null): Value {
  const rank = x.shape.length
  const y = add(g, mul(g, x, asChannels(g, a, rank)), asChannels(g, b, rank))
  return z === null ? y : add(g, y, z)
}
