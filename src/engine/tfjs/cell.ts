// One value of a run. It is held in one or more forms: a tensor in the graph's own order, the same with channels last (where TensorFlow
// convolves), or whole numbers on the host (shapes, axes, and integers that 32 bits do not hold). Forms are made when first asked for
// and go together. tfjs has float32, int32 and bool: every integer type is an int32 tensor, float64 a float32 one.
import type { DataType } from '../../graph/graph.ts'
import { AutomlError } from '../../support/errors.ts'
import type { Tf, TfTensor } from './runtime.ts'

export interface Cell {
  readonly type: DataType
  readonly shape: readonly number[]
  plain?: TfTensor
  /** [n, ...space, c] of a value [n, c, ...space]. */
  last?: TfTensor
  /** Row-major. */
  host?: Float64Array
}

export type TfType = 'float32' | 'int32' | 'bool'

export function tfType(type: DataType): TfType {
  if (type === 'bool') return 'bool'
  return type.startsWith('float') ? 'float32' : 'int32'
}

export function isInteger(type: DataType): boolean {
  return type.includes('int')
}

/** Axes of [n, c, ...space] in the order of [n, ...space, c]. */
export function toLast(rank: number): number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]
}

/** Axes of [n, ...space, c] in the order of [n, c, ...space]. */
export function fromLast(rank: number): number[] {
  return [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]
}

export function plainOf(tf: Tf, cell: Cell): TfTensor {
  cell.plain ??= tf.keep(
    cell.last !== undefined ? tf.transpose(cell.last, fromLast(cell.shape.length)) : uploaded(tf, cell),
  )
  return cell.plain
}

export function lastOf(tf: Tf, cell: Cell): TfTensor {
  cell.last ??= tf.keep(tf.transpose(plainOf(tf, cell), toLast(cell.shape.length)))
  return cell.last
}

/** Whether only the form with channels last is there: reading it saves a transposition. */
export function isLast(cell: Cell): boolean {
  return cell.last !== undefined && cell.plain === undefined
}

/** The elements on the host. Reads them back from the device when they are only there. */
export function hostOf(tf: Tf, cell: Cell): Float64Array {
  cell.host ??= Float64Array.from(plainOf(tf, cell).dataSync())
  return cell.host
}

/** A cell on the host. */
export function hostCell(type: DataType, shape: readonly number[], values: ArrayLike<number>): Cell {
  return { type, shape, host: values instanceof Float64Array ? values : Float64Array.from(values) }
}

export function disposeCell(cell: Cell): void {
  cell.plain?.dispose()
  cell.last?.dispose()
  delete cell.plain
  delete cell.last
}

function uploaded(tf: Tf, { type, shape, host }: Cell): TfTensor {
  const values = host!
  if (!isInteger(type)) return tf.tensor(Float32Array.from(values), [...shape], 'float32').cast(tfType(type))
  const far = values.find((value) => value !== (value | 0))
  if (far !== undefined) throw new AutomlError('ENGINE', `the ${type} ${far} does not fit the 32 bits of tfjs`)
  return tf.tensor(Int32Array.from(values), [...shape], 'int32')
}
