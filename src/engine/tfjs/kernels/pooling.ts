// Pooling with channels last. Plain windows over one or two axes are TensorFlow's own; others (dilation, ceil mode, three axes, positions
// of the maxima) combine the strided slices that the places of the window see.
import { type Geometry, paddingOf, shiftsOf, strided, zerosAround } from '../convolve.ts'
import type { Call, KernelTable, Made } from '../kernel.ts'
import type { TfTensor } from '../runtime.ts'
import { geometryOf } from './convolution.ts'
import { sizeOf } from './layout.ts'

/** Below every float32, so that padding never wins. */
const LOWEST = Number.NEGATIVE_INFINITY

export const poolingKernels: KernelTable = {
  MaxPool: (call) => {
    if (call.types.length > 1) return maximaAndPositions(call)
    const { tf } = call
    const { geometry, out } = poolGeometry(call)
    const x = call.last(0)
    if (!plainWindow(call, geometry)) {
      const views = windowViews(call, x, geometry, out, LOWEST)
      return { last: views.reduce((best, view) => tf.maximum(best, view)).clone() }
    }
    const plane = x.rank === 3 ? tf.expandDims(x, 1) : x
    const wide = x.rank === 3 ? [1, ...geometry.kernel] : geometry.kernel
    const strides = x.rank === 3 ? [1, ...geometry.strides] : geometry.strides
    const mode = paddingOf(x.shape.slice(1, -1), geometry)
    const pads: Geometry['pads'] = x.rank === 3 ? [[0, 0], ...geometry.pads] : geometry.pads
    const padded = mode === 'same' ? plane : zerosAround(tf, plane, pads, LOWEST)
    const y = tf.maxPool(padded as never, wide as [number, number], strides as [number, number], mode) as TfTensor
    return { last: x.rank === 3 ? tf.squeeze(y, [1]) : y }
  },
  AveragePool: (call) => {
    const { tf } = call
    const { geometry, out } = poolGeometry(call)
    const x = call.last(0)
    const whole = geometry.pads.every(([before, after]) => before === 0 && after === 0)
    if (whole && plainWindow(call, geometry)) {
      const plane = x.rank === 3 ? tf.expandDims(x, 1) : x
      const wide = x.rank === 3 ? [1, ...geometry.kernel] : geometry.kernel
      const strides = x.rank === 3 ? [1, ...geometry.strides] : geometry.strides
      const y = tf.avgPool(plane as never, wide as [number, number], strides as [number, number], 'valid') as TfTensor
      return { last: x.rank === 3 ? tf.squeeze(y, [1]) : y }
    }
    const views = windowViews(call, x, geometry, out, 0)
    const total = views.reduce((sum, view) => tf.add(sum, view))
    const counts = windowCounts(geometry, x.shape.slice(1, -1), out, call.flag('count_include_pad'))
    return { last: tf.div(total, tf.tensor(counts, [1, ...out, 1], 'float32')) }
  },
  LpPool: (call) => {
    const { tf } = call
    const { geometry, out } = poolGeometry(call)
    const p = call.number('p', 2)
    const x = tf.pow(tf.abs(call.last(0)), p)
    const total = windowViews(call, x, geometry, out, 0).reduce((sum, view) => tf.add(sum, view))
    return { last: tf.pow(total, 1 / p) }
  },
  GlobalAveragePool: (call) => globalPool(call, (x, axes) => call.tf.mean(x, axes, true)),
  GlobalMaxPool: (call) => globalPool(call, (x, axes) => call.tf.max(x, axes, true)),
  'grad.MaxPoolTiles': (call) => {
    const { tf } = call
    const kernel = call.ints('kernel_shape', [])
    const x = call.last(0)
    const [n, ...rest] = x.shape
    const channels = rest[rest.length - 1]
    const out = call.shape(1).slice(2)
    const covered = out.map((o, i) => o * kernel[i])
    const cropped = covered.every((size, i) => size === rest[i])
      ? x
      : tf.slice(
          x,
          x.shape.map(() => 0),
          [n, ...covered, channels],
        )
    const dx = tf.reshape(tilesGradient(call, cropped, out, kernel), [n, ...covered, channels])
    const ends = covered.map((size, i): [number, number] => [0, rest[i] - size])
    return { last: zerosAround(tf, dx, ends) }
  },
}

/** x [n, ...out kernel, c] whose windows tile it; inputs 1 and 2 are y and dy. Tied maxima share. */
function tilesGradient(call: Call, x: TfTensor, out: readonly number[], kernel: readonly number[]): TfTensor {
  const { tf } = call
  const channels = x.shape[x.rank - 1]
  const [y, dy] = [call.last(1), call.last(2)]
  if (out.length === 3) {
    const windows = tf.reshape(x, [x.shape[0], ...out.flatMap((o, i) => [o, kernel[i]]), channels])
    const single = [x.shape[0], ...out.flatMap((o) => [o, 1]), channels]
    const winners = tf.cast(tf.equal(windows, tf.reshape(y, single)), 'float32')
    return tf.mul(winners, tf.div(tf.reshape(dy, single), tf.sum(winners, [2, 4, 6], true)))
  }
  // Few axes and long rows: TensorFlow broadcasts those fastest.
  const [rows, columns] = [out.length === 1 ? 1 : out[0], out[out.length - 1]]
  const [high, wide] = [kernel.length === 1 ? 1 : kernel[0], kernel[kernel.length - 1]]
  const bands = x.shape[0] * rows
  const along = (v: TfTensor): TfTensor =>
    tf.reshape(tf.tile(tf.reshape(v, [bands * columns, 1, channels]), [1, wide, 1]), [
      bands,
      1,
      columns * wide * channels,
    ])
  const winners = tf.cast(tf.equal(tf.reshape(x, [bands, high, columns * wide * channels]), along(y)), 'float32')
  const ties = tf.sum(tf.reshape(tf.sum(winners, 1), [bands * columns, wide, channels]), 1, true)
  const share = tf.div(tf.reshape(dy, [bands * columns, 1, channels]), ties)
  return tf.mul(winners, along(share))
}

function globalPool(call: Call, f: (x: TfTensor, axes: number[]) => TfTensor): Made {
  const axes = call
    .shape(0)
    .slice(2)
    .map((_, i) => i)
  if (!call.isLast(0))
    return f(
      call.in(0),
      axes.map((i) => i + 2),
    )
  return {
    last: f(
      call.last(0),
      axes.map((i) => i + 1),
    ),
  }
}

/** Geometry with padding at the end for windows that ceil mode adds, and the output's sizes. */
function poolGeometry(call: Call): { geometry: Geometry; out: number[] } {
  const space = call.shape(0).slice(2)
  const geometry = geometryOf(call, space, call.ints('kernel_shape', []))
  const ceil = call.flag('ceil_mode')
  const out = space.map((size, i) => {
    const [before, after] = geometry.pads[i]
    const room = (size + before + after - (geometry.kernel[i] - 1) * geometry.dilations[i] - 1) / geometry.strides[i]
    if (!ceil) return Math.floor(room) + 1
    // A window that would start in the padding at the end is left out.
    const count = Math.ceil(room) + 1
    return (count - 1) * geometry.strides[i] >= size + before ? count - 1 : count
  })
  return { geometry, out }
}

function plainWindow(call: Call, { kernel, dilations }: Geometry): boolean {
  return kernel.length <= 2 && dilations.every((d) => d === 1) && !call.flag('ceil_mode')
}

/** x [n, ...space, c] -> for every place of the window, what it sees: [n, ...out, c] each. */
function windowViews(call: Call, x: TfTensor, g: Geometry, out: readonly number[], fill: number): TfTensor[] {
  const { tf } = call
  const space = x.shape.slice(1, -1)
  const spans = out.map((o, i) => (o - 1) * g.strides[i] + 1)
  const needed = spans.map((span, i) => span + (g.kernel[i] - 1) * g.dilations[i])
  const pads = g.pads.map(([before, after], i): [number, number] => [
    before,
    Math.max(after, needed[i] - before - space[i]),
  ])
  const padded = zerosAround(tf, x, pads, fill)
  return shiftsOf(g.kernel).map((shift) => {
    const begin = [0, ...shift.map((s, i) => s * g.dilations[i]), 0]
    return strided(tf, padded, begin, out, g.strides)
  })
}

/** Elements that each window averages. */
function windowCounts(g: Geometry, space: readonly number[], out: readonly number[], withPads: boolean): Float32Array {
  const along = out.map((count, axis) =>
    Array.from({ length: count }, (_, o) => {
      const [before, after] = g.pads[axis]
      const [low, high] = withPads ? [-before, space[axis] + after] : [0, space[axis]]
      let inside = 0
      for (let k = 0; k < g.kernel[axis]; k++) {
        const at = o * g.strides[axis] - before + k * g.dilations[axis]
        if (at >= low && at < high) inside++
      }
      return inside
    }),
  )
  return Float32Array.from(along.reduce<number[]>((all, counts) => all.flatMap((a) => counts.map((c) => a * c)), [1]))
}

/** Positions count over the whole input [n, c, ...space], row-major. */
function maximaAndPositions(call: Call): Made[] {
  const { tf } = call
  const { geometry, out } = poolGeometry(call)
  const shape = call.shape(0)
  if (call.number('storage_order', 0) !== 0) call.unsupported('storage_order 1')
  const x = call.last(0)
  const numbers = tf.reshape(tf.range(0, sizeOf(shape), 1, 'int32'), [...shape])
  const places = tf.transpose(numbers, [0, ...shape.map((_, i) => i).slice(2), 1])
  const views = windowViews(call, x, geometry, out, LOWEST)
  const placeViews = windowViews(call, places, geometry, out, 0)
  let [best, at] = [views[0], placeViews[0]]
  for (let k = 1; k < views.length; k++) {
    const better = tf.greater(views[k], best)
    at = tf.where(better, placeViews[k], at)
    best = tf.maximum(best, views[k])
  }
  return [{ last: best.clone() }, { last: at.clone() }]
}
