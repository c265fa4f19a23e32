// Operators that move, repeat or pad elements, and those that make shapes and ranges.
import {
  broadcastAt,
  broadcastShape,
  flatIndex,
  fromEnd,
  generate,
  input,
  intAttr,
  intsAttr,
  numbers,
  type RefCall,
  type RefOp,
  type RefTable,
  type RefTensor,
  sizeOf,
  tensor,
  textAttr,
} from './tensor.ts'

const reshaped = (x: RefTensor, shape: readonly number[]) => tensor(x.type, shape, x.data)

/** First index, step and count of `[start:end:step]` over an axis. */
function sliceRange(size: number, start: number, end: number, step: number): { first: number; count: number } {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at))
  return { first: clamp(start), count: Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step)) }
}

const slice: RefOp = (call) => {
  const x = input(call, 0)
  const starts = numbers(input(call, 1))
  const ends = numbers(input(call, 2))
  const axes = (call.inputs[3] ? numbers(call.inputs[3]) : starts.map((_, i) => i)).map((a) =>
    fromEnd(a, x.shape.length),
  )
  const steps = call.inputs[4] ? numbers(call.inputs[4]) : starts.map(() => 1)
  const firsts = x.shape.map(() => 0)
  const strides = x.shape.map(() => 1)
  const shape = [...x.shape]
  axes.forEach((axis, k) => {
    const { first, count } = sliceRange(x.shape[axis], starts[k], ends[k], steps[k])
    firsts[axis] = first
    strides[axis] = steps[k]
    shape[axis] = count
  })
  return generate(
    x.type,
    shape,
    (index) =>
      x.data[
        flatIndex(
          x.shape,
          index.map((at, axis) => firsts[axis] + at * strides[axis]),
        )
      ],
  )
}

/** Where an index outside [0, size) reads from, by the mode; -1: nowhere. */
function padSource(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at
  if (mode === 'edge') return Math.min(size - 1, Math.max(0, at))
  if (mode === 'reflect') return at < 0 ? -at : 2 * (size - 1) - at
  if (mode === 'wrap') return (at + size) % size
  return -1
}

const pad: RefOp = (call) => {
  const x = input(call, 0)
  const mode = textAttr(call, 'mode', 'constant')
  const pads = numbers(input(call, 1))
  const fill = call.inputs[2]?.data[0] ?? 0
  const axes = (call.inputs[3] ? numbers(call.inputs[3]) : x.shape.map((_, i) => i)).map((a) =>
    fromEnd(a, x.shape.length),
  )
  const begins = x.shape.map(() => 0)
  const shape = [...x.shape]
  axes.forEach((axis, k) => {
    begins[axis] = pads[k]
    shape[axis] += pads[k] + pads[k + axes.length]
  })
  return generate(x.type, shape, (index) => {
    const source = index.map((at, axis) => padSource(at - begins[axis], x.shape[axis], mode))
    return source.includes(-1) ? fill : x.data[flatIndex(x.shape, source)]
  })
}

const concat: RefOp = (call) => {
  const parts = call.inputs as RefTensor[]
  const axis = fromEnd(intAttr(call, 'axis', 0), parts[0].shape.length)
  const shape = parts[0].shape.with(
    axis,
    parts.reduce((total, part) => total + part.shape[axis], 0),
  )
  return generate(parts[0].type, shape, (index) => {
    let at = index[axis]
    for (const part of parts) {
      if (at < part.shape[axis]) return part.data[flatIndex(part.shape, index.with(axis, at))]
      at -= part.shape[axis]
    }
    throw new Error('reference: Concat ran out of parts')
  })
}

const split: RefOp = (call) => {
  const x = input(call, 0)
  const axis = fromEnd(intAttr(call, 'axis', 0), x.shape.length)
  const chunk = Math.ceil(x.shape[axis] / call.outputCount)
  const sizes = call.inputs[1]
    ? numbers(call.inputs[1])
    : Array.from({ length: call.outputCount }, (_, i) => Math.min(chunk, x.shape[axis] - i * chunk))
  let start = 0
  return sizes.map((size) => {
    const from = start
    start += size
    return generate(
      x.type,
      x.shape.with(axis, size),
      (index) => x.data[flatIndex(x.shape, index.with(axis, index[axis] + from))],
    )
  })
}

const reshape: RefOp = (call) => {
  const x = input(call, 0)
  const zeroCopies = intAttr(call, 'allowzero', 0) === 0
  const target = numbers(input(call, 1)).map((dim, i) => (dim === 0 && zeroCopies ? x.shape[i] : dim))
  const rest = sizeOf(target.filter((dim) => dim !== -1))
  const shape = target.map((dim) => (dim === -1 ? (rest === 0 ? 0 : x.data.length / rest) : dim))
  return reshaped(x, shape)
}

const transpose: RefOp = (call) => {
  const x = input(call, 0)
  const perm = intsAttr(call, 'perm', [...x.shape.keys()].reverse())
  const source = x.shape.map(() => 0)
  return generate(
    x.type,
    perm.map((axis) => x.shape[axis]),
    (index) => {
      for (let i = 0; i < perm.length; i++) source[perm[i]] = index[i]
      return x.data[flatIndex(x.shape, source)]
    },
  )
}

/** [n, c*b*b, h, w] -> [n, c, h*b, w*b]; the block's place is the outer (DCR) or inner (CRD) part of the channel. */
const depthToSpace: RefOp = (call) => {
  const x = input(call, 0)
  const b = intAttr(call, 'blocksize', 1)
  const [n, channels, h, w] = x.shape
  const depth = channels / (b * b)
  const crd = textAttr(call, 'mode', 'DCR') === 'CRD'
  return generate(x.type, [n, depth, h * b, w * b], ([i, c, y, z]) => {
    const place = (y % b) * b + (z % b)
    const channel = crd ? c * b * b + place : place * depth + c
    return x.data[flatIndex(x.shape, [i, channel, Math.floor(y / b), Math.floor(z / b)])]
  })
}

const spaceToDepth: RefOp = (call) => {
  const x = input(call, 0)
  const b = intAttr(call, 'blocksize', 1)
  const [n, channels, h, w] = x.shape
  return generate(x.type, [n, channels * b * b, h / b, w / b], ([i, c, y, z]) => {
    const place = Math.floor(c / channels)
    return x.data[flatIndex(x.shape, [i, c % channels, y * b + Math.floor(place / b), z * b + (place % b)])]
  })
}

function axesInput(call: RefCall, rank: number): number[] {
  return numbers(input(call, 1)).map((axis) => fromEnd(axis, rank))
}

export const layoutReference: RefTable = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Pad: pad,
  Reshape: reshape,
  Transpose: transpose,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Flatten: (call) => {
    const x = input(call, 0)
    const axis = fromEnd(intAttr(call, 'axis', 1), x.shape.length)
    return reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])
  },
  Squeeze: (call) => {
    const x = input(call, 0)
    const axes = call.inputs[1] ? axesInput(call, x.shape.length) : null
    return reshaped(
      x,
      x.shape.filter((dim, i) => (axes ? !axes.includes(i) : dim !== 1)),
    )
  },
  Unsqueeze: (call) => {
    const x = input(call, 0)
    const rank = x.shape.length + input(call, 1).data.length
    const axes = axesInput(call, rank)
    let next = 0
    return reshaped(
      x,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : x.shape[next++])),
    )
  },
  Expand: (call) => {
    const x = input(call, 0)
    return generate(x.type, broadcastShape(x.shape, numbers(input(call, 1))), (index) => broadcastAt(x, index))
  },
  Tile: (call) => {
    const x = input(call, 0)
    const repeats = numbers(input(call, 1))
    const shape = x.shape.map((dim, i) => dim * repeats[i])
    return generate(
      x.type,
      shape,
      (index) =>
        x.data[
          flatIndex(
            x.shape,
            index.map((at, i) => at % x.shape[i]),
          )
        ],
    )
  },
  Trilu: (call) => {
    const x = input(call, 0)
    const k = call.inputs[1]?.data[0] ?? 0
    const upper = intAttr(call, 'upper', 1) === 1
    return generate(x.type, x.shape, (index, flat) => {
      const diagonal = index.at(-1)! - index.at(-2)!
      return (upper ? diagonal >= k : diagonal <= k) ? x.data[flat] : 0
    })
  },
  ReverseSequence: (call) => {
    const x = input(call, 0)
    const lengths = input(call, 1).data
    const [batch, time] = [intAttr(call, 'batch_axis', 1), intAttr(call, 'time_axis', 0)]
    return generate(x.type, x.shape, (index) => {
      const length = lengths[index[batch]]
      const at = index[time] < length ? length - 1 - index[time] : index[time]
      return x.data[flatIndex(x.shape, index.with(time, at))]
    })
  },
  Shape: (call) => {
    const { shape } = input(call, 0)
    const part = shape.slice(intAttr(call, 'start', 0), intAttr(call, 'end', shape.length))
    return tensor('int64', [part.length], Float64Array.from(part))
  },
  Size: (call) => tensor('int64', [], Float64Array.of(input(call, 0).data.length)),
  Range: (call) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => input(call, i).data[0])
    const count = Math.max(0, Math.ceil((limit - start) / delta))
    return generate(input(call, 0).type, [count], ([i]) => start + i * delta)
  },
}
