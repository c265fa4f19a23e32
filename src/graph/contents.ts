// What a small integer tensor holds, as far as it is known while a graph is being built: shape vectors, axes, slice bounds.
// Entries may be symbolic sizes, so that `Concat(Shape(x)[0:1], [-1])` gives a Reshape target of known rank and sizes.
import { addDims, type Dim, divDims, isStatic, mulDims, subDims } from './dims.ts'
import type { Attributes, ConstantData, ValueInfo } from './graph.ts'
import { shapeRange } from './ops/layout.ts'

/** Longer tensors are data, not shapes. */
const MAX_LENGTH = 64

export function constantContents(data: ConstantData): readonly number[] | undefined {
  if (data.length > MAX_LENGTH || data instanceof Float32Array || data instanceof Float64Array) return undefined
  return Array.from(data as Int32Array | BigInt64Array, Number)
}

/** Contents of the first output of a node, or undefined when not known. */
export function foldContents(
  op: string,
  inputs: readonly (ValueInfo | null)[],
  attrs: Attributes,
  contents: (i: number) => readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  const x = inputs[0]
  if (!x) return undefined
  switch (op) {
    case 'Shape': {
      const rank = x.shape.length
      const [start, end] = shapeRange((attrs.start as number) ?? 0, (attrs.end as number) ?? rank, rank)
      return x.shape.slice(start, end)
    }
    case 'Size':
      return [x.shape.reduce<Dim>(mulDims, 1)]
    case 'Identity':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Reshape':
      return contents(0)
    case 'Cast':
      return String(attrs.to).includes('int') && x.type.includes('int') ? contents(0) : undefined
    case 'Concat': {
      const parts = inputs.map((_, i) => contents(i))
      const known = parts.every((part) => part !== undefined)
      return known && x.shape.length === 1 ? parts.flat() : undefined
    }
    case 'Gather': {
      const values = contents(0)
      const indexes = contents(1)
      if (!values || !indexes || !isStatic(indexes) || x.shape.length !== 1) return undefined
      return indexes.map((i) => values[i < 0 ? i + values.length : i])
    }
    case 'Slice': {
      const values = contents(0)
      const [start, end] = [contents(1)?.[0], contents(2)?.[0]]
      const step = inputs[4] ? contents(4)?.[0] : 1
      if (!values || x.shape.length !== 1 || typeof start !== 'number' || typeof end !== 'number') return undefined
      return step === 1 ? values.slice(start, end) : undefined
    }
    case 'Add':
      return zip(contents(0), contents(1), addDims)
    case 'Sub':
      return zip(contents(0), contents(1), subDims)
    case 'Mul':
      return zip(contents(0), contents(1), mulDims)
    case 'Div':
      return zip(contents(0), contents(1), divDims)
    default:
      return undefined
  }
}

function zip(
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
  combine: (a: Dim, b: Dim) => Dim | undefined,
): readonly Dim[] | undefined {
  if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined
  const out: Dim[] = []
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const dim = combine(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i])
    if (dim === undefined) return undefined
    out.push(dim)
  }
  return out
}
