// What a kernel sees of one node: inputs in the form it wants, attributes with their defaults, and how it gives back its results.
// Kernels run inside `tf.tidy`: what they make on the way is disposed, what they return is kept.
import type { AttributeValue, DataType, GraphNode } from '../../graph/graph.ts'
import { AutomlError } from '../../support/errors.ts'
import { type Cell, hostOf, isLast, lastOf, plainOf } from './cell.ts'
import { unsupportedOp } from './errors.ts'
import type { Runtime, Tf, TfTensor } from './runtime.ts'

/** A result: a tensor in the graph's order, one with channels last, or a cell (host integers). */
export type Made = TfTensor | { last: TfTensor } | Cell

export type Kernel = (call: Call) => Made | readonly Made[]
export type KernelTable = Readonly<Record<string, Kernel>>

export class Call {
  readonly tf: Tf

  constructor(
    readonly runtime: Runtime,
    readonly node: GraphNode,
    readonly inputs: readonly (Cell | null)[],
    /** Types of the outputs. */
    readonly types: readonly DataType[],
  ) {
    this.tf = runtime.tf
  }

  has(i: number): boolean {
    return (this.inputs[i] ?? null) !== null
  }

  cell(i: number): Cell {
    const cell = this.inputs[i]
    if (!cell) throw new AutomlError('ENGINE', `input ${i} is missing`)
    return cell
  }

  shape(i: number): readonly number[] {
    return this.cell(i).shape
  }

  /** Input `i` in the graph's order. */
  in(i: number): TfTensor {
    return plainOf(this.tf, this.cell(i))
  }

  /** Input `i` [n, c, ...space] as [n, ...space, c]. */
  last(i: number): TfTensor {
    return lastOf(this.tf, this.cell(i))
  }

  isLast(i: number): boolean {
    return isLast(this.cell(i))
  }

  /** Elements of input `i` on the host. */
  host(i: number): Float64Array {
    return hostOf(this.tf, this.cell(i))
  }

  /** Whether reading input `i` on the host costs nothing. */
  onHost(i: number): boolean {
    return this.cell(i).host !== undefined
  }

  /** Integers of input `i`, or a fallback where it is absent. */
  integers(i: number, fallback: readonly number[] = []): number[] {
    return this.has(i) ? Array.from(this.host(i)) : [...fallback]
  }

  number(name: string, fallback: number): number {
    const value = this.node.attrs[name]
    return typeof value === 'number' ? value : fallback
  }

  flag(name: string, fallback = false): boolean {
    return this.number(name, +fallback) !== 0
  }

  text(name: string, fallback: string): string {
    const value = this.node.attrs[name]
    return typeof value === 'string' ? value : fallback
  }

  ints(name: string, fallback: readonly number[]): readonly number[] {
    const value: AttributeValue | undefined = this.node.attrs[name]
    return typeof value === 'object' ? (value as readonly number[]) : fallback
  }

  /** Attribute `axis` counted from the front. */
  axis(fallback: number, rank = this.shape(0).length): number {
    return wrapAxis(this.number('axis', fallback), rank)
  }

  /** @throws ENGINE naming the operator */
  unsupported(why: string): never {
    throw unsupportedOp(this.node, why)
  }
}

export function wrapAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** An operator of one tensor that treats all elements alike keeps their order. */
export function elementwise(call: Call, f: (x: TfTensor) => TfTensor): Made {
  return call.isLast(0) ? { last: f(call.last(0)) } : f(call.in(0))
}

/**
 * All inputs in one order, so that they broadcast: channels last where one of full rank is held only so.
 * `made` wraps the result accordingly.
 */
export function aligned(call: Call): { tensors: TfTensor[]; made: (result: TfTensor) => Made } {
  const { tf } = call
  const cells = call.inputs.map((_, i) => call.cell(i))
  const rank = Math.max(...cells.map(({ shape }) => shape.length))
  if (!cells.some((cell) => isLast(cell) && cell.shape.length === rank)) {
    return { tensors: cells.map((cell) => plainOf(tf, cell)), made: (result) => result }
  }
  const tensors = cells.map((cell) => {
    if (cell.shape.length === rank) return lastOf(tf, cell)
    const plain = plainOf(tf, cell)
    if (cell.shape.length === 0) return plain
    const shape = [...new Array<number>(rank - cell.shape.length).fill(1), ...cell.shape]
    return tf.transpose(tf.reshape(plain, shape), [0, ...shape.map((_, i) => i).slice(2), 1])
  })
  return { tensors, made: (last) => ({ last }) }
}
