// Convolutions and their two gradients on tensors with channels last, for any number of spatial axes up to three, padding, dilation and
// groups. TensorFlow pads only by 'SAME' or 'VALID' where it differentiates, does not differentiate dilated kernels on processors, and has
// no groups there: so inputs are padded, kernels spread with zeros and channels cut beforehand where a network asks for those.
import type { Tf, TfTensor } from './runtime.ts'

export interface Geometry {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  /** Zeros before and after each spatial axis. */
  pads: readonly (readonly [number, number])[]
  group: number
}

/** x [n, ...space, i], w [o, i/group, ...kernel] -> [n, ...space, o] */
export function convolve(tf: Tf, x: TfTensor, w: TfTensor, geometry: Geometry): TfTensor {
  return onPlane(tf, x, w, geometry, (plane, filter, g, mode) => {
    const { group } = g
    const channels = plane.shape[plane.rank - 1]
    if (plane.rank === 5) return grouped(tf, plane, filter, group, (a, b) => conv3d(tf, a, b, g, mode))
    if (group > 1 && group === channels) return depthwise(tf, plane, filter, g, mode)
    const strides = g.strides as [number, number]
    return grouped(tf, plane, filter, group, (a, b) =>
      tf.conv2d(a as never, tf.transpose(b, [2, 3, 1, 0]) as never, strides, mode),
    )
  })
}

/** dy [n, ...out, o], w [o, i/group, ...kernel] -> dx [n, ...space, i] */
export function convolveInputGradient(
  tf: Tf,
  dy: TfTensor,
  w: TfTensor,
  geometry: Geometry,
  space: readonly number[],
): TfTensor {
  const flat = space.length === 1
  const g = spread(planar(geometry))
  const full = flat ? [1, ...space] : [...space]
  const plane = flat ? tf.expandDims(dy, 1) : dy
  const filter = spreadKernel(tf, flat ? tf.expandDims(w, 2) : w, planar(geometry).dilations)
  const channels = (filter.shape[1] as number) * g.group
  const mode = paddingOf(full, g)
  const padded = full.map((size, i) => (mode === 'same' ? size : size + g.pads[i][0] + g.pads[i][1]))
  const kernels = tf.engine()
  let dx: TfTensor
  if (g.group > 1 && g.group === channels && plane.rank === 4) {
    const inputs = { dy: plane, filter: depthwiseFilter(tf, filter, g.group) }
    const inputShape = [plane.shape[0], ...padded, channels]
    dx = kernels.runKernel('DepthwiseConv2dNativeBackpropInput', inputs, {
      strides: evenStrides(full, g),
      pad: mode,
      dilations: [1, 1],
      inputShape,
    })
  } else {
    const parts = split(tf, plane, g.group, plane.rank - 1).map((part, k) => {
      const own = split(tf, filter, g.group, 0)[k]
      const inputShape = [plane.shape[0], ...padded, channels / g.group]
      if (plane.rank === 5) {
        const inputs = { dy: part, filter: tf.transpose(own, [2, 3, 4, 1, 0]) }
        return kernels.runKernel<TfTensor>('Conv3DBackpropInputV2', inputs, {
          strides: g.strides as number[],
          pad: mode,
          inputShape,
        })
      }
      const inputs = { dy: part, filter: tf.transpose(own, [2, 3, 1, 0]) }
      const attrs = { strides: g.strides as number[], pad: mode, dataFormat: 'NHWC', inputShape }
      return kernels.runKernel<TfTensor>('Conv2DBackpropInput', inputs, attrs)
    })
    dx = parts.length === 1 ? parts[0] : tf.concat(parts, plane.rank - 1)
  }
  if (mode !== 'same' && g.pads.some(([before, after]) => before > 0 || after > 0)) {
    const begins = [0, ...g.pads.map(([before]) => before), 0]
    dx = tf.slice(dx, begins, [plane.shape[0], ...full, channels])
  }
  return flat ? tf.squeeze(dx, [1]) : dx
}

/** x [n, ...space, i], dy [n, ...out, o] -> dw [o, i/group, ...kernel] */
export function convolveWeightGradient(tf: Tf, x: TfTensor, dy: TfTensor, geometry: Geometry): TfTensor {
  const flat = x.rank === 3
  const whole = planar(geometry)
  const g = spread(whole)
  const input = flat ? tf.expandDims(x, 1) : x
  const grad = flat ? tf.expandDims(dy, 1) : dy
  const space = input.shape.slice(1, -1)
  const mode = paddingOf(space, g)
  const plane = mode === 'same' ? input : zerosAround(tf, input, g.pads)
  const channels = plane.shape[plane.rank - 1]
  const filters = grad.shape[grad.rank - 1]
  const perGroup = channels / g.group
  const kernels = tf.engine()
  let dw: TfTensor
  if (g.group > 1 && g.group === channels && plane.rank === 4) {
    const filterShape = [...g.kernel, channels, filters / channels]
    const attrs = { strides: evenStrides(space, g), pad: mode, dilations: [1, 1], filterShape }
    const made = kernels.runKernel<TfTensor>('DepthwiseConv2dNativeBackpropFilter', { x: plane, dy: grad }, attrs)
    dw = tf.reshape(tf.transpose(made, [2, 3, 0, 1]), [filters, 1, ...g.kernel])
  } else {
    const grads = split(tf, grad, g.group, grad.rank - 1)
    const parts = split(tf, plane, g.group, plane.rank - 1).map((part, k) => {
      const filterShape = [...g.kernel, perGroup, filters / g.group]
      const attrs = { strides: g.strides as number[], pad: mode, dataFormat: 'NHWC', filterShape }
      const inputs = { x: part, dy: grads[k] }
      if (plane.rank === 5) {
        return tf.transpose(kernels.runKernel<TfTensor>('Conv3DBackpropFilterV2', inputs, attrs), [4, 3, 0, 1, 2])
      }
      return tf.transpose(kernels.runKernel<TfTensor>('Conv2DBackpropFilter', inputs, attrs), [3, 2, 0, 1])
    })
    dw = parts.length === 1 ? parts[0] : tf.concat(parts, 0)
  }
  // Of a spread kernel, the places that were not filled with zeros.
  if (whole.dilations.some((d) => d > 1)) {
    const ends = [filters, perGroup, ...g.kernel]
    dw = tf.stridedSlice(
      dw,
      ends.map(() => 0),
      ends,
      [1, 1, ...whole.dilations],
    )
  }
  return flat ? tf.squeeze(dw, [2]) : dw
}

/**
 * The same as one matrix product per place of the kernel, for the JavaScript backend, whose own kernel takes minutes where this takes
 * seconds.
 */
export function weightGradientByPlaces(tf: Tf, x: TfTensor, dy: TfTensor, geometry: Geometry): TfTensor {
  const { kernel, strides, dilations, pads, group } = geometry
  const padded = zerosAround(tf, x, pads)
  const out = dy.shape.slice(1, -1)
  const [channels, filters] = [x.shape[x.rank - 1], dy.shape[dy.rank - 1]]
  const places = (dy.shape[0] as number) * out.reduce((a, b) => a * b, 1)
  const [perGroup, filtersPerGroup] = [channels / group, filters / group]
  const grads = split(tf, tf.reshape(dy, [places, filters]), perGroup === 1 ? 1 : group, 1)
  const byPlace = shiftsOf(kernel).map((shift) => {
    const begin = [0, ...shift.map((s, i) => s * dilations[i]), 0]
    const seen = tf.reshape(strided(tf, padded, begin, out, strides), [places, channels])
    // Depthwise: every channel meets its own filters.
    if (perGroup === 1) {
      const products = tf.mul(tf.reshape(seen, [places, group, 1]), tf.reshape(dy, [places, group, filtersPerGroup]))
      return tf.reshape(tf.sum(products, 0), [filters, 1])
    }
    const parts = split(tf, seen, group, 1).map((part, k) => tf.matMul(grads[k], part, true))
    return parts.length === 1 ? parts[0] : tf.concat(parts, 0)
  })
  return tf.reshape(tf.stack(byPlace, 2), [filters, perGroup, ...kernel])
}

/** x [n, ...space, c] from `begin` on, `out` elements of each spatial axis, `strides` apart. */
export function strided(
  tf: Tf,
  x: TfTensor,
  begin: readonly number[],
  out: readonly number[],
  strides: readonly number[],
): TfTensor {
  const spans = out.map((o, i) => (o - 1) * strides[i] + 1)
  const size = [x.shape[0] as number, ...spans, x.shape[x.rank - 1]]
  const view = tf.slice(x, [...begin], size)
  if (strides.every((s) => s === 1)) return view
  return tf.stridedSlice(
    view,
    size.map(() => 0),
    size,
    [1, ...strides, 1],
  )
}

/** All places of a kernel, row-major. */
export function shiftsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((s) => Array.from({ length: k }, (_, i) => [...s, i])), [[]])
}

/** x [n, ...space, c] with zeros around each spatial axis. */
export function zerosAround(tf: Tf, x: TfTensor, pads: Geometry['pads'], fill = 0): TfTensor {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return x
  return tf.pad(x, [[0, 0], ...pads.map(([a, b]): [number, number] => [a, b]), [0, 0]], fill)
}

/** 'same' where TensorFlow would choose the same zeros, else 'valid': pad beforehand. */
export function paddingOf(space: readonly number[], { kernel, strides, pads, dilations }: Geometry): 'same' | 'valid' {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return 'valid'
  const same = pads.every(([before, after], i) => {
    const out = Math.ceil(space[i] / strides[i])
    const total = Math.max(0, (out - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - space[i])
    return before === total >> 1 && after === total - (total >> 1)
  })
  return same ? 'same' : 'valid'
}

function onPlane(
  tf: Tf,
  x: TfTensor,
  w: TfTensor,
  geometry: Geometry,
  run: (x: TfTensor, w: TfTensor, g: Geometry, mode: 'same' | 'valid') => TfTensor,
): TfTensor {
  const flat = x.rank === 3
  const g = spread(planar(geometry))
  const filter = spreadKernel(tf, flat ? tf.expandDims(w, 2) : w, planar(geometry).dilations)
  const input = flat ? tf.expandDims(x, 1) : x
  const mode = paddingOf(input.shape.slice(1, -1), g)
  const y = run(mode === 'same' ? input : zerosAround(tf, input, g.pads), filter, g, mode)
  return flat ? tf.squeeze(y, [1]) : y
}

function conv3d(tf: Tf, x: TfTensor, w: TfTensor, { strides }: Geometry, mode: 'same' | 'valid'): TfTensor {
  const filter = tf.transpose(w, [2, 3, 4, 1, 0])
  return tf.conv3d(x as never, filter as never, strides as [number, number, number], mode)
}

function depthwise(tf: Tf, x: TfTensor, w: TfTensor, g: Geometry, mode: 'same' | 'valid'): TfTensor {
  const strides = evenStrides(x.shape.slice(1, -1), g)
  return tf.depthwiseConv2d(x as never, depthwiseFilter(tf, w, g.group) as never, strides, mode)
}

/** w [i m, 1, h, w] -> [h, w, i, m] */
function depthwiseFilter(tf: Tf, w: TfTensor, group: number): TfTensor {
  const [filters, , ...kernel] = w.shape
  return tf.transpose(tf.reshape(w, [group, filters / group, ...kernel]), [2, 3, 0, 1])
}

/** TensorFlow's depthwise convolution has one stride for both axes; an axis of a single place takes any. */
function evenStrides(space: readonly number[], { strides }: Geometry): [number, number] {
  return space[0] === 1 ? [strides[1], strides[1]] : (strides as [number, number])
}

function grouped(
  tf: Tf,
  x: TfTensor,
  w: TfTensor,
  group: number,
  run: (x: TfTensor, w: TfTensor) => TfTensor,
): TfTensor {
  if (group === 1) return run(x, w)
  const filters = split(tf, w, group, 0)
  return tf.concat(
    split(tf, x, group, x.rank - 1).map((part, k) => run(part, filters[k])),
    x.rank - 1,
  )
}

function split(tf: Tf, x: TfTensor, parts: number, axis: number): TfTensor[] {
  return parts === 1 ? [x] : tf.split(x, parts, axis)
}

/** One spatial axis as two, the first of a single place. */
function planar(g: Geometry): Geometry {
  if (g.kernel.length !== 1) return g
  return {
    kernel: [1, ...g.kernel],
    strides: [1, ...g.strides],
    dilations: [1, ...g.dilations],
    pads: [[0, 0], ...g.pads],
    group: g.group,
  }
}

/** The geometry of the kernel that `spreadKernel` makes. */
function spread(g: Geometry): Geometry {
  const kernel = g.kernel.map((k, i) => (k - 1) * g.dilations[i] + 1)
  return { ...g, kernel, dilations: kernel.map(() => 1) }
}

/** w [o, i, ...kernel] with zeros between its places. */
function spreadKernel(tf: Tf, w: TfTensor, dilations: readonly number[]): TfTensor {
  return dilations.reduce<TfTensor>((kernel, dilation, i) => {
    const axis = i + 2
    const size = kernel.shape[axis]
    if (dilation === 1 || size === 1) return kernel
    const before = kernel.shape.slice(0, axis)
    const after = kernel.shape.slice(axis + 1)
    const wide = tf.reshape(kernel, [...before, size, 1, ...after])
    const zeros = wide.shape.map((_, k): [number, number] => [0, k === axis + 1 ? dilation - 1 : 0])
    const filled = tf.reshape(tf.pad(wide, zeros), [...before, size * dilation, ...after])
    return tf.slice(
      filled,
      filled.shape.map(() => 0),
      [...before, (size - 1) * dilation + 1, ...after],
    )
  }, w)
}
