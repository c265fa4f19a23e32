// Operators that move, repeat, select or pad elements, and those that make index tensors.
import {
  addDims,
  broadcastShapes,
  ceilDivDims,
  type Dim,
  divDims,
  floorDivDims,
  mulDims,
  productOfDims,
  subDims,
  unifyDims,
} from '../dims.ts'
import type { DataType } from '../graph.ts'
import type { OpCall, OpSpec, OpTable } from './spec.ts'

/** Past this, a slice end means "to the end". */
const FAR = 2 ** 30

export const layoutOps: OpTable = {
  Concat: {
    arity: [1, Number.POSITIVE_INFINITY],
    attrs: { axis: 'int' },
    infer: (c) => {
      const first = c.in(0)
      const axis = c.axis(first.shape.length, 0)
      const out = [...first.shape]
      for (let i = 1; i < c.inputs.length; i++) {
        const { shape } = c.in(i)
        if (shape.length !== out.length) c.fail('ranks differ')
        shape.forEach((dim, k) => {
          out[k] =
            k === axis ? addDims(out[k], dim) : (unifyDims(out[k], dim) ?? c.fail(`sizes differ off axis ${axis}`))
        })
      }
      return [{ type: c.sameType(...c.inputs.map((_, i) => i)), shape: out }]
    },
  },
  Slice: { arity: [3, 5], infer: inferSlice },
  Split: {
    arity: [1, 2],
    attrs: { axis: 'int', num_outputs: 'int' },
    outputs: Number.POSITIVE_INFINITY,
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axis = c.axis(shape.length, 0)
      const count = c.outputCount
      const sizes = c.optional(1) ? c.contents(1) : undefined
      if (sizes && sizes.length !== count) c.fail(`split has ${sizes.length} sizes for ${count} outputs`)
      const total = shape[axis]
      const chunk = typeof total === 'number' ? Math.ceil(total / count) : ceilDivDims(total, count)
      return Array.from({ length: count }, (_, i) => {
        const even = typeof total === 'number' && typeof chunk === 'number' ? Math.min(chunk, total - i * chunk) : chunk
        return { type, shape: shape.map((dim, k) => (k === axis ? (sizes?.[i] ?? even) : dim)) }
      })
    },
  },
  Pad: {
    arity: [2, 4],
    attrs: { mode: 'string' },
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axes = c.optional(3) ? c.known(3, 'axes').map((a) => c.checkAxis(a, shape.length)) : shape.map((_, i) => i)
      const pads = c.contents(1) ?? c.fail('pads must be known when the graph is built')
      if (pads.length !== 2 * axes.length) c.fail(`pads has ${pads.length} entries for ${axes.length} axes`)
      const out = [...shape]
      axes.forEach((axis, k) => {
        out[axis] = addDims(addDims(out[axis], pads[k]), pads[k + axes.length])
      })
      return [{ type, shape: out }]
    },
  },
  Gather: {
    arity: [2, 2],
    attrs: { axis: 'int' },
    infer: (c) => {
      const { type, shape } = c.in(0)
      c.typeIn(1, 'int32', 'int64')
      const axis = c.axis(shape.length, 0)
      return [{ type, shape: [...shape.slice(0, axis), ...c.in(1).shape, ...shape.slice(axis + 1)] }]
    },
  },
  GatherElements: {
    arity: [2, 2],
    attrs: { axis: 'int' },
    infer: (c) => {
      c.typeIn(1, 'int32', 'int64')
      if (c.in(0).shape.length !== c.in(1).shape.length) c.fail('data and indices must have one rank')
      return [{ type: c.in(0).type, shape: c.in(1).shape }]
    },
  },
  GatherND: {
    arity: [2, 2],
    attrs: { batch_dims: 'int' },
    infer: (c) => {
      c.typeIn(1, 'int64')
      const data = c.in(0).shape
      const indices = c.in(1).shape
      const depth = indices.at(-1)
      const batch = c.int('batch_dims', 0)
      if (typeof depth !== 'number') return c.fail('the last size of indices must be a number')
      if (batch + depth > data.length) c.fail(`indices reach ${batch + depth} axes deep`)
      return [{ type: c.in(0).type, shape: [...indices.slice(0, -1), ...data.slice(batch + depth)] }]
    },
  },
  ScatterElements: scatter('int32', 'int64'),
  ScatterND: scatter('int64'),
  OneHot: {
    arity: [3, 3],
    attrs: { axis: 'int' },
    infer: (c) => {
      const { shape } = c.in(0)
      const axis = c.axis(shape.length + 1, -1)
      const depth = c.contents(1)?.[0] ?? `depth(${c.in(1).name})`
      return [{ type: c.in(2).type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }]
    },
  },
  Range: {
    arity: [3, 3],
    infer: (c) => {
      const [start, limit, delta] = [0, 1, 2].map((i) => c.contents(i)?.[0])
      const count =
        start !== undefined && limit !== undefined && typeof delta === 'number' && delta > 0
          ? ceilDivDims(subDims(limit, start), delta)
          : `range(${c.in(1).name})`
      return [{ type: c.sameType(0, 1, 2), shape: [count] }]
    },
  },
  Shape: {
    arity: [1, 1],
    attrs: { start: 'int', end: 'int' },
    infer: (c) => {
      const rank = c.in(0).shape.length
      const [from, to] = shapeRange(c.int('start', 0), c.int('end', rank), rank)
      return [{ type: 'int64', shape: [Math.max(0, to - from)] }]
    },
  },
  Size: { arity: [1, 1], infer: () => [{ type: 'int64', shape: [] }] },
  Expand: {
    arity: [2, 2],
    infer: (c) => {
      const target = c.contents(1) ?? unknownDims(c, 1, 'expand')
      return [
        { type: c.in(0).type, shape: broadcastShapes(c.in(0).shape, target) ?? c.fail('shapes do not broadcast') },
      ]
    },
  },
  Tile: {
    arity: [2, 2],
    infer: (c) => {
      const { type, shape } = c.in(0)
      const repeats = c.contents(1) ?? unknownDims(c, 1, 'tile')
      if (repeats.length !== shape.length) c.fail(`repeats has ${repeats.length} entries`)
      return [{ type, shape: shape.map((dim, i) => mulDims(dim, repeats[i])) }]
    },
  },
  Reshape: { arity: [2, 2], attrs: { allowzero: 'int' }, infer: inferReshape },
  Flatten: {
    arity: [1, 1],
    attrs: { axis: 'int' },
    infer: (c) => {
      const { type, shape } = c.in(0)
      const given = c.int('axis', 1)
      const axis = given < 0 ? given + shape.length : given
      return [{ type, shape: [productOfDims(shape.slice(0, axis)), productOfDims(shape.slice(axis))] }]
    },
  },
  Transpose: {
    arity: [1, 1],
    attrs: { perm: 'ints' },
    infer: (c) => {
      const { type, shape } = c.in(0)
      const perm = c.ints(
        'perm',
        shape.map((_, i) => shape.length - 1 - i),
      )
      if ([...perm].sort((a, b) => a - b).join() !== shape.map((_, i) => i).join()) {
        c.fail(`perm [${perm.join(', ')}] is no permutation of ${shape.length} axes`)
      }
      return [{ type, shape: perm.map((i) => shape[i]) }]
    },
  },
  Squeeze: {
    arity: [1, 2],
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axes = c.optional(1)
        ? c.known(1, 'axes').map((axis) => c.checkAxis(axis, shape.length))
        : shape.flatMap((dim, i) => (dim === 1 ? [i] : []))
      for (const axis of axes) if (typeof shape[axis] === 'number' && shape[axis] !== 1) c.fail(`axis ${axis} is not 1`)
      return [{ type, shape: shape.filter((_, i) => !axes.includes(i)) }]
    },
  },
  Unsqueeze: {
    arity: [2, 2],
    infer: (c) => {
      const { type, shape } = c.in(0)
      const given = c.known(1, 'axes')
      const rank = shape.length + given.length
      const axes = given.map((axis) => c.checkAxis(axis, rank))
      let next = 0
      return [{ type, shape: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : shape[next++])) }]
    },
  },
  Trilu: {
    arity: [1, 2],
    attrs: { upper: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: c.rankAtLeast(0, 2) }],
  },
  NonZero: {
    arity: [1, 1],
    infer: (c) => [{ type: 'int64', shape: [c.in(0).shape.length, `nonzero(${c.in(0).name})`] }],
  },
  ReverseSequence: {
    arity: [2, 2],
    attrs: { batch_axis: 'int', time_axis: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: c.rankAtLeast(0, 2) }],
  },
  DepthToSpace: {
    arity: [1, 1],
    attrs: { blocksize: 'int', mode: 'string' },
    infer: (c) => {
      const [n, channels, h, w] = c.rankAtLeast(0, 4)
      const block = c.int('blocksize', 1)
      const out = divDims(channels, block * block) ?? c.fail(`channels must be a multiple of ${block * block}`)
      return [{ type: c.in(0).type, shape: [n, out, mulDims(h, block), mulDims(w, block)] }]
    },
  },
  SpaceToDepth: {
    arity: [1, 1],
    attrs: { blocksize: 'int' },
    infer: (c) => {
      const [n, channels, h, w] = c.rankAtLeast(0, 4)
      const block = c.int('blocksize', 1)
      return [
        {
          type: c.in(0).type,
          shape: [n, mulDims(channels, block * block), floorDivDims(h, block), floorDivDims(w, block)],
        },
      ]
    },
  },
  Resize: {
    arity: [1, 4],
    attrs: {
      antialias: 'int',
      axes: 'ints',
      coordinate_transformation_mode: 'string',
      cubic_coeff_a: 'float',
      exclude_outside: 'int',
      extrapolation_value: 'float',
      keep_aspect_ratio_policy: 'string',
      mode: 'string',
      nearest_mode: 'string',
    },
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axes = c
        .ints(
          'axes',
          shape.map((_, i) => i),
        )
        .map((axis) => c.checkAxis(axis, shape.length))
      const out: Dim[] = [...shape]
      const sizes = c.optional(3) ? (c.contents(3) ?? unknownDims(c, 3, 'resize')) : undefined
      axes.forEach((axis, k) => {
        out[axis] = sizes?.[k] ?? `resized(${c.in(0).name},${axis})`
      })
      return [{ type, shape: out }]
    },
  },
}

function scatter(...indexTypes: DataType[]): OpSpec {
  return {
    arity: [3, 3],
    attrs: { axis: 'int', reduction: 'string' },
    infer: (c) => {
      c.typeIn(1, ...indexTypes)
      return [{ type: c.sameType(0, 2), shape: c.in(0).shape }]
    },
  }
}

/** Fresh symbols for the shape that vector input `i` will hold at run time. */
function unknownDims(c: OpCall, i: number, what: string): Dim[] {
  const length = c.in(i).shape[0]
  if (typeof length !== 'number') return c.fail(`input ${i} must have a known length`)
  return Array.from({ length }, (_, k) => `${what}(${c.in(i).name},${k})`)
}

export function shapeRange(start: number, end: number, rank: number): [number, number] {
  const clamp = (at: number) => Math.min(rank, Math.max(0, at < 0 ? at + rank : at))
  return [clamp(start), clamp(end)]
}

function inferSlice(c: OpCall): { type: ReturnType<OpCall['in']>['type']; shape: Dim[] }[] {
  const { type, shape } = c.in(0)
  const starts = c.contents(1)
  const ends = c.contents(2)
  const count = c.in(1).shape[0]
  if (typeof count !== 'number') return c.fail('starts must have a known length')
  const axes = c.optional(3)
    ? c.known(3, 'axes').map((axis) => c.checkAxis(axis, shape.length))
    : Array.from({ length: count }, (_, i) => i)
  const steps = c.optional(4) ? c.known(4, 'steps') : axes.map(() => 1)
  const out = [...shape]
  axes.forEach((axis, k) => {
    out[axis] = sliceDim(shape[axis], starts?.[k], ends?.[k], steps[k]) ?? `slice(${c.in(0).name},${axis})`
  })
  return [{ type, shape: out }]
}

/** Length of `[start:end:step]` of a dimension; undefined when it cannot be told. */
function sliceDim(dim: Dim, start: Dim | undefined, end: Dim | undefined, step: number): Dim | undefined {
  if (start === undefined || end === undefined) return undefined
  if (typeof dim === 'number' && typeof start === 'number' && typeof end === 'number') {
    const low = step > 0 ? 0 : -1
    const high = step > 0 ? dim : dim - 1
    const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + dim : at))
    return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step))
  }
  if (step < 0) return start === -1 && typeof end === 'number' && end <= -FAR ? ceilDivDims(dim, -step) : undefined
  const from = typeof start === 'number' && start < 0 ? addDims(dim, start) : start
  const to = typeof end === 'number' && end >= FAR ? dim : typeof end === 'number' && end < 0 ? addDims(dim, end) : end
  // A symbolic dimension may be shorter than the end asks for.
  if (typeof dim === 'string' && typeof end === 'number' && end >= 0 && end < FAR && leastOf(dim) < end)
    return undefined
  return ceilDivDims(difference(to, from), step)
}

/** What a dimension is at least: n of `(x+n)`, as dimensions are not negative. */
function leastOf(dim: string): number {
  return Number(/^\([^()+]*\+(\d+)\)$/.exec(dim)?.[1] ?? 0)
}

/** to - from, cancelling a common symbol: (h-1) - (h-3) is 2. */
function difference(to: Dim, from: Dim): Dim {
  const split = (dim: Dim): [string, number] => {
    if (typeof dim === 'number') return ['', dim]
    const match = /^\((.+)([+-]\d+)\)$/.exec(dim)
    return match ? [match[1], Number(match[2])] : [dim, 0]
  }
  const [toBase, toOffset] = split(to)
  const [fromBase, fromOffset] = split(from)
  return toBase === fromBase ? toOffset - fromOffset : subDims(to, from)
}

function inferReshape(c: OpCall): { type: ReturnType<OpCall['in']>['type']; shape: Dim[] }[] {
  const { type, shape } = c.in(0)
  const target = c.contents(1) ?? unknownDims(c, 1, 'reshape')
  const zeroCopies = c.int('allowzero', 0) === 0
  const out = target.map((dim, i) =>
    dim === 0 && zeroCopies ? (shape[i] ?? c.fail(`size 0 at ${i} has nothing to copy`)) : dim,
  )
  const hole = out.indexOf(-1)
  if (hole !== out.lastIndexOf(-1)) c.fail(`target [${target.join(', ')}] has two -1`)
  const total = productOfDims(shape)
  const rest = productOfDims(out.filter((_, i) => i !== hole))
  if (hole >= 0) {
    const quotient = rest === 0 ? 0 : divDims(total, rest)
    if (quotient === undefined && typeof total === 'number' && typeof rest === 'number') {
      c.fail(`${total} elements do not fit [${target.join(', ')}]`)
    }
    out[hole] = quotient ?? `(${total}/${rest})`
  } else if (typeof total === 'number' && typeof rest === 'number' && total !== rest) {
    c.fail(`${total} elements do not fit [${target.join(', ')}]`)
  }
  return [{ type, shape: out }]
}
