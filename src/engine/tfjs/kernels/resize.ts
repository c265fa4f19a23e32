// Resize, one axis at a time: the elements of the output are weighted sums of the input's, so an axis is resized by a product with a
// matrix [out, in]. Nearest neighbours are a gather.
import { type Call, type KernelTable, wrapAxis } from '../kernel.ts'
import type { TfTensor } from '../runtime.ts'

export const resizeKernels: KernelTable = {
  Resize: (call) => {
    const shape = call.shape(0)
    const axes = call
      .ints(
        'axes',
        shape.map((_, i) => i),
      )
      .map((axis) => wrapAxis(axis, shape.length))
    const given = call.has(2) && call.host(2).length > 0 ? call.integers(2) : null
    if (call.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') call.unsupported('keep_aspect_ratio_policy')
    const sizes = given === null ? call.integers(3) : axes.map((axis, k) => Math.floor(shape[axis] * given[k]))
    let x = call.in(0)
    axes.forEach((axis, k) => {
      const scale = given === null ? sizes[k] / shape[axis] : given[k]
      if (sizes[k] !== shape[axis] || scale !== 1) x = resizedAxis(call, x, axis, sizes[k], scale)
    })
    return x.clone()
  },
}

function resizedAxis(call: Call, x: TfTensor, axis: number, out: number, scale: number): TfTensor {
  const { tf } = call
  const size = x.shape[axis]
  const places = Float64Array.from({ length: out }, (_, i) => sourcePlace(call, i, size, out, scale))
  if (call.text('mode', 'nearest') === 'nearest') {
    return tf.gather(x, tf.tensor1d(nearest(call, places, size), 'int32'), axis)
  }
  const weights = tf.tensor2d(weightMatrix(call, places, size, scale), [out, size])
  const before = x.shape.slice(0, axis)
  const after = x.shape.slice(axis + 1)
  const rest = after.reduce((a, b) => a * b, 1)
  if (rest === 1)
    return tf.reshape(tf.matMul(tf.reshape(x, [-1, size]), weights, false, true), [...before, out, ...after])
  const flat = tf.reshape(x, [-1, size, rest])
  const y = tf.matMul(tf.reshape(weights, [1, out, size]), flat)
  return tf.reshape(y, [...before, out, ...after])
}

/** Where output element `i` lies among the input's. */
function sourcePlace(call: Call, i: number, size: number, out: number, scale: number): number {
  const mode = call.text('coordinate_transformation_mode', 'half_pixel')
  switch (mode) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return out > 1 ? (i + 0.5) / scale - 0.5 : 0
    case 'half_pixel_symmetric':
      return (size / 2) * (1 - out / (size * scale)) + (i + 0.5) / scale - 0.5
    case 'align_corners':
      return out > 1 ? (i * (size - 1)) / (out - 1) : 0
    case 'asymmetric':
      return i / scale
    default:
      return call.unsupported(`coordinate_transformation_mode ${mode}`)
  }
}

function nearest(call: Call, places: Float64Array, size: number): Int32Array {
  const mode = call.text('nearest_mode', 'round_prefer_floor')
  const round = {
    round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
    round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
    floor: Math.floor,
    ceil: Math.ceil,
  }[mode]
  if (round === undefined) return call.unsupported(`nearest_mode ${mode}`)
  return Int32Array.from(places, (x) => Math.min(size - 1, Math.max(0, round(x))))
}

/** [out, in], row-major. */
function weightMatrix(call: Call, places: Float64Array, size: number, scale: number): Float32Array {
  const cubic = call.text('mode', 'linear') === 'cubic'
  const filter = cubic ? cubicFilter(call.number('cubic_coeff_a', -0.75)) : (d: number) => Math.max(0, 1 - Math.abs(d))
  // Antialiasing stretches the filter over all elements that an output element covers. Outside the input its border is repeated.
  const shrink = call.flag('antialias') ? Math.min(1, scale) : 1
  const reach = (cubic ? 2 : 1) / shrink
  const excluded = call.flag('exclude_outside')
  const weights = new Float32Array(places.length * size)
  places.forEach((place, i) => {
    const row = new Float64Array(size)
    for (let k = Math.ceil(place - reach); k <= Math.floor(place + reach); k++) {
      const inside = k >= 0 && k < size
      if (excluded && !inside) continue
      row[Math.min(size - 1, Math.max(0, k))] += filter((k - place) * shrink)
    }
    const total = row.reduce((a, b) => a + b, 0)
    row.forEach((weight, k) => {
      weights[i * size + k] = weight / total
    })
  })
  return weights
}

/** Keys 1981. */
function cubicFilter(a: number): (d: number) => number {
  return (distance) => {
    const d = Math.abs(distance)
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
  }
}
