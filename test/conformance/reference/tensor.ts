// Tensors of the reference interpreter: every element is a float64, whatever its type, so that float32 graphs are computed with
// errors far below float32's. Integers are exact up to 2^53 and wrap as their type does.
import type { Attributes, DataType } from '../../../src/graph/graph.ts'

export interface RefTensor {
  readonly type: DataType
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: Float64Array
}

/** One node on its way through the interpreter. */
export interface RefCall {
  readonly inputs: readonly (RefTensor | null)[]
  readonly attrs: Attributes
  readonly outputCount: number
}

export type RefOp = (call: RefCall) => RefTensor | RefTensor[]
export type RefTable = Readonly<Record<string, RefOp>>

export const sizeOf = (shape: readonly number[]) => shape.reduce((size, dim) => size * dim, 1)

export function tensor(type: DataType, shape: readonly number[], data: Float64Array): RefTensor {
  if (data.length !== sizeOf(shape)) throw new Error(`reference: ${data.length} elements for [${shape}]`)
  return { type, shape, data }
}

/** Elements by their multi-index. The index array is reused between calls. */
export function generate(
  type: DataType,
  shape: readonly number[],
  element: (index: readonly number[], flat: number) => number,
): RefTensor {
  const data = new Float64Array(sizeOf(shape))
  const index = shape.map(() => 0)
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = element(index, flat)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break
      index[axis] = 0
    }
  }
  return { type, shape, data }
}

/** Position of a multi-index in row-major order. */
export function flatIndex(shape: readonly number[], index: readonly number[]): number {
  let flat = 0
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis] + index[axis]
  return flat
}

/** The element of `x` that broadcasting puts at `index` of a result of higher or equal rank. */
export function broadcastAt(x: RefTensor, index: readonly number[]): number {
  const lead = index.length - x.shape.length
  let flat = 0
  for (let axis = 0; axis < x.shape.length; axis++) {
    flat = flat * x.shape[axis] + (x.shape[axis] === 1 ? 0 : index[axis + lead])
  }
  return x.data[flat]
}

export function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const dims = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    return dims.find((dim) => dim !== 1) ?? 1
  })
}

/** The value as `type` holds it; floats are left as they are. */
export function wrap(type: DataType, value: number): number {
  switch (type) {
    case 'int32':
      return value | 0
    case 'uint32':
      return value >>> 0
    case 'int8':
      return (value << 24) >> 24
    case 'uint8':
      return value & 255
    case 'bool':
      return value === 0 ? 0 : 1
    default:
      return value
  }
}

export const input = (call: RefCall, i: number): RefTensor => {
  const x = call.inputs[i]
  if (!x) throw new Error(`reference: input ${i} is missing`)
  return x
}

export const numbers = (x: RefTensor): number[] => Array.from(x.data)

export const intAttr = (call: RefCall, name: string, fallback: number): number => {
  const value = call.attrs[name]
  return typeof value === 'number' ? value : fallback
}

export const intsAttr = (call: RefCall, name: string, fallback: readonly number[]): readonly number[] => {
  const value = call.attrs[name]
  return typeof value === 'object' ? (Array.from(value as number[]) as number[]) : fallback
}

export const textAttr = (call: RefCall, name: string, fallback: string): string => {
  const value = call.attrs[name]
  return typeof value === 'string' ? value : fallback
}

export const fromEnd = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)
