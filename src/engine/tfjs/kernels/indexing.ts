// Gathers, scatters and index tensors. Indices are int32 tensors; negative ones count from the end.
import { hostCell } from '../cell.ts'
import { type Call, type KernelTable, wrapAxis } from '../kernel.ts'
import type { TfTensor } from '../runtime.ts'
import { sizeOf } from './layout.ts'

export const indexingKernels: KernelTable = {
  Gather: (call) => {
    const { tf } = call
    const shape = call.shape(0)
    const axis = call.axis(0)
    const indexShape = call.shape(1)
    const out = [...shape.slice(0, axis), ...indexShape, ...shape.slice(axis + 1)]
    const cell = call.cell(0)
    if (call.onHost(1) && cell.host !== undefined && shape.length === 1) {
      const values = call.host(1).map((i) => cell.host![wrapAxis(checked(i, shape[0]), shape[0])])
      return hostCell(call.types[0], out, values)
    }
    if (call.onHost(1) && sizeOf(indexShape) === 1) {
      const at = wrapAxis(checked(call.host(1)[0], shape[axis]), shape[axis])
      const begin = shape.map((_, i) => (i === axis ? at : 0))
      const size = shape.map((dim, i) => (i === axis ? 1 : dim))
      return tf.reshape(tf.slice(call.in(0), begin, size), out)
    }
    const flat = tf.reshape(wrapped(call, 1, shape[axis]), [-1])
    return tf.reshape(tf.gather(call.in(0), flat, axis), out)
  },
  GatherElements: (call) => {
    const { tf } = call
    const places = elementPlaces(call)
    return tf.reshape(tf.gather(tf.reshape(call.in(0), [-1]), places), [...call.shape(1)])
  },
  GatherND: (call) => {
    const { tf } = call
    const data = call.shape(0)
    const indexShape = call.shape(1)
    const batch = call.number('batch_dims', 0)
    const depth = indexShape[indexShape.length - 1]
    const out = [...indexShape.slice(0, -1), ...data.slice(batch + depth)]
    // One index into the indexed axes, flattened: first the example's own, then what is given.
    const rows = tf.reshape(call.in(0), [sizeOf(data.slice(0, batch + depth)), sizeOf(data.slice(batch + depth))])
    const inner = data.slice(batch, batch + depth)
    const given = tf.reshape(rowNumbers(call, call.in(1), inner), [-1])
    const count = sizeOf(indexShape.slice(0, -1))
    const perExample = count / sizeOf(data.slice(0, batch))
    const starts = Int32Array.from({ length: count }, (_, i) => Math.floor(i / perExample) * sizeOf(inner))
    const places = batch === 0 ? given : tf.add(given, tf.tensor1d(starts, 'int32'))
    return tf.reshape(tf.gather(rows, places), out)
  },
  ScatterElements: (call) => {
    const places = elementPlaces(call)
    const { tf } = call
    const updates = tf.reshape(call.in(2), [-1])
    const flat = tf.reshape(call.in(0), [-1])
    return tf.reshape(scattered(call, flat, places, updates), [...call.shape(0)])
  },
  ScatterND: (call) => {
    const { tf } = call
    const data = call.shape(0)
    const depth = call.shape(1)[call.shape(1).length - 1]
    const rows = tf.reshape(rowNumbers(call, call.in(1), data.slice(0, depth)), [-1])
    const width = sizeOf(data.slice(depth))
    const x = tf.reshape(call.in(0), [sizeOf(data.slice(0, depth)), width])
    const updates = tf.reshape(call.in(2), [rows.size, width])
    return tf.reshape(scattered(call, x, rows, updates), [...data])
  },
  OneHot: (call) => {
    const { tf } = call
    const axis = call.axis(-1, call.shape(0).length + 1)
    const depth = call.host(1)[0]
    const shape = [...call.shape(0)]
    const ids = tf.reshape(wrapped(call, 0, depth), [...shape.slice(0, axis), 1, ...shape.slice(axis)])
    const classes = tf.reshape(tf.range(0, depth, 1, 'int32'), [depth, ...shape.slice(axis).map(() => 1)])
    const values = call.in(2)
    return tf.where(
      tf.equal(ids, classes),
      tf.reshape(tf.slice(values, 1, 1), []),
      tf.reshape(tf.slice(values, 0, 1), []),
    )
  },
  Range: (call) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => call.host(i)[0])
    const count = Math.max(0, Math.ceil((limit - start) / delta))
    return hostCell(
      call.types[0],
      [count],
      Float64Array.from({ length: count }, (_, i) => start + i * delta),
    )
  },
  NonZero: (call) => {
    const shape = call.shape(0)
    const found: number[] = []
    call.host(0).forEach((value, i) => {
      if (value !== 0) found.push(i)
    })
    const out = new Float64Array(shape.length * found.length)
    let stride = 1
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      found.forEach((place, k) => {
        out[axis * found.length + k] = Math.floor(place / stride) % shape[axis]
      })
      stride *= shape[axis]
    }
    return hostCell('int64', [shape.length, found.length], out)
  },
  ReverseSequence: (call) => {
    const { tf } = call
    const shape = call.shape(0)
    const [timeAxis, batchAxis] = [call.number('time_axis', 0), call.number('batch_axis', 1)]
    const [steps, batch] = [shape[timeAxis], shape[batchAxis]]
    const lengths = call.host(1)
    // Step t of example b comes from row b*steps + t of [batch, time, ...].
    const from = Int32Array.from({ length: batch * steps }, (_, i) => {
      const [b, t] = [Math.floor(i / steps), i % steps]
      return b * steps + (t < lengths[b] ? lengths[b] - 1 - t : t)
    })
    const rest = shape.map((_, i) => i).slice(2)
    const order = [batchAxis, timeAxis, ...rest]
    const rows = tf.reshape(tf.transpose(call.in(0), order), [batch * steps, -1])
    const picked = tf.reshape(
      tf.gather(rows, tf.tensor1d(from, 'int32')),
      order.map((axis) => shape[axis]),
    )
    return tf.transpose(
      picked,
      shape.map((_, axis) => order.indexOf(axis)),
    )
  },
}

function checked(index: number, size: number): number {
  if (index >= -size && index < size) return index
  throw new Error(`index ${index} is outside [${-size}, ${size})`)
}

/** Indices of input `i` with negative ones counted from the end of `size`. */
function wrapped(call: Call, i: number, size: number): TfTensor {
  const { tf } = call
  if (call.onHost(i) && call.host(i).every((index) => index >= 0)) return call.in(i)
  return fromStart(call, call.in(i), tf.scalar(size, 'int32'))
}

function fromStart(call: Call, indices: TfTensor, sizes: TfTensor): TfTensor {
  const { tf } = call
  return tf.where(tf.less(indices, tf.scalar(0, 'int32')), tf.add(indices, sizes), indices)
}

/** indices [..., depth] over axes of these sizes -> [...], one number over the axes flattened. */
function rowNumbers(call: Call, indices: TfTensor, sizes: readonly number[]): TfTensor {
  const { tf } = call
  const positive = fromStart(call, indices, tf.tensor1d([...sizes], 'int32'))
  const columns = tf.split(positive, sizes.length, -1)
  return columns.reduce((row, column, i) => {
    const shift = tf.tensor1d(Int32Array.of(sizes[i]), 'int32')
    return tf.add(tf.mul(row, shift), column)
  })
}

/** For inputs data and indices of one rank: where each index points in the flattened data, flat int32. */
function elementPlaces(call: Call): TfTensor {
  const { tf } = call
  const data = call.shape(0)
  const shape = call.shape(1)
  const axis = call.axis(0, data.length)
  const strides = data.map((_, i) => sizeOf(data.slice(i + 1)))
  const along = strides[axis]
  const rest = new Int32Array(sizeOf(shape))
  const at = new Array<number>(shape.length).fill(0)
  for (let i = 0; i < rest.length; i++) {
    let place = 0
    for (let k = 0; k < shape.length; k++) if (k !== axis) place += at[k] * strides[k]
    rest[i] = place
    for (let k = shape.length - 1; k >= 0; k--) {
      if (++at[k] < shape[k]) break
      at[k] = 0
    }
  }
  const indices = tf.reshape(wrapped(call, 1, data[axis]), [-1])
  return tf.add(tf.mul(indices, tf.scalar(along, 'int32')), tf.tensor1d(rest, 'int32'))
}

/** x [rows, ...] with updates [count, ...] written to or combined with rows `places` [count]. */
function scattered(call: Call, x: TfTensor, places: TfTensor, updates: TfTensor): TfTensor {
  const { tf } = call
  const reduction = call.text('reduction', 'none')
  if (places.size === 0) return x.clone()
  const column = tf.reshape(places, [-1, 1])
  const spread = (values: TfTensor): TfTensor => tf.scatterND(column, values, x.shape as never)
  switch (reduction) {
    case 'add':
      return tf.add(x, spread(updates))
    case 'none': {
      const counts = tf.scatterND(column, tf.onesLike(places), [x.shape[0]] as never) as TfTensor
      const hit = tf.reshape(tf.greater(counts, tf.scalar(0, 'int32')), [x.shape[0], ...x.shape.slice(1).map(() => 1)])
      const written = x.dtype === 'bool' ? tf.cast(spread(tf.cast(updates, 'int32')), 'bool') : spread(updates)
      return tf.where(hit, written, x)
    }
    case 'mul':
    case 'max':
    case 'min':
      return combinedOnHost(call, x, places, updates, reduction)
    default:
      return call.unsupported(`reduction ${reduction}`)
  }
}

const COMBINE = {
  mul: (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
}

function combinedOnHost(
  call: Call,
  x: TfTensor,
  places: TfTensor,
  updates: TfTensor,
  reduction: keyof typeof COMBINE,
): TfTensor {
  const out = x.dataSync().slice()
  const width = x.size / x.shape[0]
  const values = updates.dataSync()
  places.dataSync().forEach((row, i) => {
    for (let k = 0; k < width; k++) {
      out[row * width + k] = COMBINE[reduction](out[row * width + k], values[i * width + k])
    }
  })
  return call.tf.tensor(out, x.shape, x.dtype as 'float32')
}
