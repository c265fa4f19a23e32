// Tensors of callers as cells and back. Arrays are copied both ways: tfjs keeps the arrays it is given.
import type { Initializer } from '../../graph/graph.ts'
import type { Tensor, TensorData, TensorType } from '../engine.ts'
import { type Cell, hostCell, hostOf, plainOf, tfType } from './cell.ts'
import type { Tf } from './runtime.ts'

/** Constants up to this many elements are on the host too: they are shapes, axes, bounds. */
const SMALL = 64

export function cellOfTensor(tf: Tf, { type, shape, data }: Tensor): Cell {
  if (type === 'int64' || data.length <= 1) return hostCell(type, shape, Float64Array.from(data as Int32Array, Number))
  return { type, shape, plain: tf.keep(tf.tensor(ownValues(data), [...shape], tfType(type))) }
}

/** Not copied where the type allows: a graph's constants never change. */
export function cellOfConstant(tf: Tf, { type, shape, data }: Initializer): Cell {
  if (data.length <= SMALL || type.endsWith('int64') || type === 'uint32') {
    return hostCell(type, shape, Float64Array.from(data as Int32Array, Number))
  }
  const kept = tfType(type)
  const values =
    kept === 'float32' && !(data instanceof Float32Array)
      ? Float32Array.from(data as Float64Array)
      : kept === 'int32' && !(data instanceof Int32Array)
        ? Int32Array.from(data as Uint8Array)
        : (data as Float32Array)
  return { type, shape, plain: tf.keep(tf.tensor(values, [...shape], kept)) }
}

/** @param into an array of the caller's to fill and give back */
export async function tensorOfCell(tf: Tf, cell: Cell, into?: Tensor): Promise<Tensor> {
  const type = cell.type as TensorType
  const values = cell.host ?? (await plainOf(tf, cell).data())
  if (into !== undefined) {
    fill(into.data, values)
    return into
  }
  return { type, shape: [...cell.shape], data: filled(type, values) }
}

export function tensorOfCellNow(tf: Tf, cell: Cell): Tensor {
  const type = cell.type as TensorType
  const values = cell.plain === undefined ? hostOf(tf, cell) : cell.plain.dataSync()
  return { type, shape: [...cell.shape], data: filled(type, values) }
}

function ownValues(data: TensorData): Float32Array | Int32Array | Uint8Array {
  return data instanceof Float32Array ? data.slice() : Int32Array.from(data as Int32Array)
}

function filled(type: TensorType, values: ArrayLike<number>): TensorData {
  switch (type) {
    case 'int32':
      return Int32Array.from(values)
    case 'int64':
      return BigInt64Array.from(values as number[], BigInt)
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values)
    default:
      return Float32Array.from(values)
  }
}

function fill(data: TensorData, values: ArrayLike<number>): void {
  if (data instanceof BigInt64Array) data.set(BigInt64Array.from(values as number[], BigInt))
  else data.set(values)
}
