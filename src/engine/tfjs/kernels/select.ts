// Operators that cut, join, pad and repeat along axes.
import { hostCell, tfType, toLast } from '../cell.ts'
import { type Call, type KernelTable, type Made, wrapAxis } from '../kernel.ts'
import type { TfTensor } from '../runtime.ts'

export const selectKernels: KernelTable = {
  Concat: (call) => {
    const rank = call.shape(0).length
    const axis = call.axis(0)
    const cells = call.inputs.map((_, i) => call.cell(i))
    if (rank === 1 && cells.every(({ host }) => host !== undefined)) {
      const values = cells.flatMap(({ host }) => Array.from(host!))
      return hostCell(call.types[0], [values.length], values)
    }
    if (cells.every((_, i) => call.isLast(i))) {
      const parts = cells.map((_, i) => call.last(i))
      return { last: call.tf.concat(parts, toLast(rank).indexOf(axis)) }
    }
    const parts = cells.map((_, i) => call.in(i))
    return call.tf.concat(parts, axis)
  },
  Slice: (call) => {
    const shape = call.shape(0)
    const ranges = sliceRanges(call, shape)
    const cell = call.cell(0)
    if (cell.host !== undefined && cell.plain === undefined && shape.length === 1) {
      const { begin, step, count } = ranges[0]
      const values = Array.from({ length: count }, (_, i) => cell.host![begin + i * step])
      return hostCell(cell.type, [count], values)
    }
    if (call.isLast(0)) {
      const order = toLast(shape.length)
      return {
        last: cut(
          call,
          call.last(0),
          order.map((axis) => ranges[axis]),
        ),
      }
    }
    return cut(call, call.in(0), ranges)
  },
  Split: (call) => {
    const shape = call.shape(0)
    const axis = call.axis(0)
    const count = call.types.length
    const chunk = Math.ceil(shape[axis] / count)
    const even = Array.from({ length: count }, (_, i) => Math.min(chunk, shape[axis] - i * chunk))
    const sizes = call.integers(1, even)
    let begin = 0
    return sizes.map((size) => {
      const from = shape.map((_, i) => (i === axis ? begin : 0))
      begin += size
      const part = shape.map((dim, i) => (i === axis ? size : dim))
      return call.tf.slice(call.in(0), from, part)
    })
  },
  Pad: (call) => {
    const shape = call.shape(0)
    const given = call.integers(1)
    const axes = call.has(3) ? call.integers(3).map((axis) => wrapAxis(axis, shape.length)) : shape.map((_, i) => i)
    const pads = shape.map((): [number, number] => [0, 0])
    axes.forEach((axis, k) => {
      pads[axis] = [given[k], given[k + axes.length]]
    })
    return padded(call, pads)
  },
  Trilu: (call) => {
    const { tf } = call
    const shape = call.shape(0)
    const [rows, columns] = shape.slice(-2)
    const shift = call.has(1) ? call.host(1)[0] : 0
    const upper = call.flag('upper', true)
    const kept = Uint8Array.from({ length: rows * columns }, (_, i) => {
      const distance = (i % columns) - Math.floor(i / columns) - shift
      return +(upper ? distance >= 0 : distance <= 0)
    })
    const x = call.in(0)
    return tf.where(tf.tensor(kept, [rows, columns], 'bool'), x, tf.zerosLike(x))
  },
}

interface Range {
  begin: number
  step: number
  count: number
}

/** Per axis, from the inputs starts, ends, axes and steps. */
function sliceRanges(call: Call, shape: readonly number[]): Range[] {
  const [starts, ends] = [call.integers(1), call.integers(2)]
  const axes = call.integers(
    3,
    starts.map((_, i) => i),
  )
  const steps = call.integers(
    4,
    starts.map(() => 1),
  )
  const ranges = shape.map((dim): Range => ({ begin: 0, step: 1, count: dim }))
  axes.forEach((given, k) => {
    const axis = wrapAxis(given, shape.length)
    const dim = shape[axis]
    const step = steps[k]
    const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1]
    const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + dim : at))
    const begin = clamp(starts[k])
    ranges[axis] = { begin, step, count: Math.max(0, Math.ceil((clamp(ends[k]) - begin) / step)) }
  })
  return ranges
}

function cut(call: Call, x: TfTensor, ranges: readonly Range[]): TfTensor {
  const { tf } = call
  if (ranges.some(({ count }) => count === 0)) {
    return tf.tensor(
      [],
      ranges.map(({ count }) => count),
      x.dtype as 'float32',
    )
  }
  // The stretch that each axis covers, then reversed, then thinned.
  const spans = ranges.map(({ step, count }) => Math.abs(step) * (count - 1) + 1)
  const begins = ranges.map(({ begin, step }, i) => (step > 0 ? begin : begin - spans[i] + 1))
  let out: TfTensor = tf.slice(x, begins, spans)
  const backwards = ranges.flatMap(({ step }, i) => (step < 0 ? [i] : []))
  if (backwards.length > 0) out = tf.reverse(out, backwards)
  const strides = ranges.map(({ step }) => Math.abs(step))
  if (strides.every((step) => step === 1)) return out
  return tf.stridedSlice(
    out,
    spans.map(() => 0),
    spans,
    strides,
  )
}

function padded(call: Call, pads: [number, number][]): Made {
  const { tf } = call
  const mode = call.text('mode', 'constant')
  const type = tfType(call.cell(0).type)
  // Negative padding cuts.
  const shape = call.shape(0)
  const cropped = pads.some((pair) => pair.some((size) => size < 0))
  const grow = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)])
  if (mode === 'constant') {
    const fill = call.has(2) ? call.host(2)[0] : 0
    if (call.isLast(0) && !cropped) {
      return {
        last: tf.pad(
          call.last(0),
          toLast(shape.length).map((axis) => grow[axis]),
          fill,
        ),
      }
    }
    let x = call.in(0)
    if (cropped) {
      x = tf.slice(
        x,
        pads.map(([before]) => Math.max(0, -before)),
        shape.map((dim, i) => dim + Math.min(0, pads[i][0]) + Math.min(0, pads[i][1])),
      )
    }
    return tf.cast(tf.pad(type === 'bool' ? tf.cast(x, 'int32') : x, grow, fill), type)
  }
  if (cropped) call.unsupported(`negative pads in mode ${mode}`)
  if (!['reflect', 'edge', 'wrap'].includes(mode)) call.unsupported(`mode ${mode}`)
  return grow.reduce((x, pair, axis) => extended(call, x, axis, pair, mode), call.in(0).clone())
}

/** One axis lengthened by its own elements. */
function extended(call: Call, x: TfTensor, axis: number, [before, after]: [number, number], mode: string): TfTensor {
  if (before === 0 && after === 0) return x
  const size = x.shape[axis]
  const indexes = Int32Array.from({ length: before + size + after }, (_, i) => source(i - before, size, mode))
  return call.tf.gather(x, call.tf.tensor1d(indexes, 'int32'), axis)
}

function source(at: number, size: number, mode: string): number {
  if (mode === 'edge') return Math.min(size - 1, Math.max(0, at))
  if (mode === 'wrap') return ((at % size) + size) % size
  const period = Math.max(1, 2 * (size - 1))
  const folded = ((at % period) + period) % period
  return folded < size ? folded : period - folded
}
