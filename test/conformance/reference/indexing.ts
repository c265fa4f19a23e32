// Gathers, scatters and one-hot rows. Negative indices count from the end.
import {
  flatIndex,
  fromEnd,
  generate,
  input,
  intAttr,
  type RefOp,
  type RefTable,
  sizeOf,
  tensor,
  textAttr,
} from './tensor.ts'

const REDUCE: Record<string, (held: number, next: number) => number> = {
  none: (_, next) => next,
  add: (held, next) => held + next,
  mul: (held, next) => held * next,
  min: Math.min,
  max: Math.max,
}

const gather: RefOp = (call) => {
  const [x, indices] = [input(call, 0), input(call, 1)]
  const axis = fromEnd(intAttr(call, 'axis', 0), x.shape.length)
  const rank = indices.shape.length
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]
  return generate(x.type, shape, (index) => {
    const at = indices.data[flatIndex(indices.shape, index.slice(axis, axis + rank))]
    const source = [...index.slice(0, axis), fromEnd(at, x.shape[axis]), ...index.slice(axis + rank)]
    return x.data[flatIndex(x.shape, source)]
  })
}

/** The index tuple in row `row` of `indices` [..., depth], as an offset into the axes from `first` on. */
function tupleOf(indices: ArrayLike<number>, row: number, sizes: readonly number[]): number[] {
  return sizes.map((size, k) => fromEnd(indices[row * sizes.length + k], size))
}

const gatherNd: RefOp = (call) => {
  const [x, indices] = [input(call, 0), input(call, 1)]
  const batch = intAttr(call, 'batch_dims', 0)
  const depth = indices.shape.at(-1)!
  const lead = indices.shape.slice(0, -1)
  const sizes = x.shape.slice(batch, batch + depth)
  return generate(x.type, [...lead, ...x.shape.slice(batch + depth)], (index) => {
    const row = flatIndex(lead, index.slice(0, lead.length))
    const source = [...index.slice(0, batch), ...tupleOf(indices.data, row, sizes), ...index.slice(lead.length)]
    return x.data[flatIndex(x.shape, source)]
  })
}

const scatterNd: RefOp = (call) => {
  const [x, indices, updates] = [input(call, 0), input(call, 1), input(call, 2)]
  const combine = REDUCE[textAttr(call, 'reduction', 'none')]
  const data = x.data.slice()
  const depth = indices.shape.at(-1)!
  const rows = sizeOf(indices.shape.slice(0, -1))
  const inner = sizeOf(x.shape.slice(depth))
  for (let row = 0; row < rows; row++) {
    const start = flatIndex(x.shape.slice(0, depth), tupleOf(indices.data, row, x.shape.slice(0, depth))) * inner
    for (let k = 0; k < inner; k++) data[start + k] = combine(data[start + k], updates.data[row * inner + k])
  }
  return tensor(x.type, x.shape, data)
}

const scatterElements: RefOp = (call) => {
  const [x, indices, updates] = [input(call, 0), input(call, 1), input(call, 2)]
  const axis = fromEnd(intAttr(call, 'axis', 0), x.shape.length)
  const combine = REDUCE[textAttr(call, 'reduction', 'none')]
  const data = x.data.slice()
  generate('int64', indices.shape, (index, flat) => {
    const at = flatIndex(x.shape, index.with(axis, fromEnd(indices.data[flat], x.shape[axis])))
    data[at] = combine(data[at], updates.data[flat])
    return 0
  })
  return tensor(x.type, x.shape, data)
}

export const indexingReference: RefTable = {
  Gather: gather,
  GatherElements: (call) => {
    const [x, indices] = [input(call, 0), input(call, 1)]
    const axis = fromEnd(intAttr(call, 'axis', 0), x.shape.length)
    return generate(
      x.type,
      indices.shape,
      (index, flat) => x.data[flatIndex(x.shape, index.with(axis, fromEnd(indices.data[flat], x.shape[axis])))],
    )
  },
  GatherND: gatherNd,
  ScatterND: scatterNd,
  ScatterElements: scatterElements,
  OneHot: (call) => {
    const [indices, depth, values] = [input(call, 0), input(call, 1), input(call, 2)]
    const size = depth.data[0]
    const axis = fromEnd(intAttr(call, 'axis', -1), indices.shape.length + 1)
    const shape = [...indices.shape.slice(0, axis), size, ...indices.shape.slice(axis)]
    return generate(values.type, shape, (index) => {
      const at = indices.data[flatIndex(indices.shape, index.toSpliced(axis, 1))]
      return values.data[fromEnd(at, size) === index[axis] ? 1 : 0]
    })
  },
  NonZero: (call) => {
    const x = input(call, 0)
    const found: number[][] = []
    generate('bool', x.shape, (index, flat) => {
      if (x.data[flat] !== 0) found.push([...index])
      return 0
    })
    return generate('int64', [x.shape.length, found.length], ([axis, k]) => found[k][axis])
  },
}
