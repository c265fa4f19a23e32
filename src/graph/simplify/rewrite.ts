// What a simplification rule sees of one node, and what rules share: shapes before the node exists, constants, chains.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, formatShape } from '../dims.ts'
import type { Attributes } from '../graph.ts'
import { OpCall } from '../ops/spec.ts'
import { opSpec } from '../ops/table.ts'

export interface Rewrite {
  readonly g: GraphBuilder
  readonly op: string
  readonly inputs: readonly (Value | null)[]
  readonly attrs: Attributes
  /** Makes a node, itself simplified. */
  emit(op: string, inputs: readonly (Value | null)[], attrs?: Attributes): Value
}

/** A value that can stand for the node's only output, or null where the rule does not apply. */
export type Rule = (rewrite: Rewrite) => Value | null

export type RuleTable = Readonly<Record<string, readonly Rule[]>>

/** Shape that the node's first output will have. */
export function outputShape({ g, op, inputs, attrs }: Rewrite): readonly Dim[] {
  const contents = (i: number) => (inputs[i] ? g.contentsOf(inputs[i]) : undefined)
  return opSpec(op).infer(new OpCall(op, inputs, attrs, 1, contents))[0].shape
}

export const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean => formatShape(a) === formatShape(b)

/** Longer constants are data: looking at all of them would cost more than it saves. */
const MAX_LOOK = 1024

/** The number that all elements of a constant are, if they are. */
export function uniform(g: GraphBuilder, value: Value): number | undefined {
  const data = g.constantOf(value)?.data as ArrayLike<number | bigint> | undefined
  if (data === undefined || data.length === 0 || data.length > MAX_LOOK) return undefined
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return undefined
  return Number(data[0])
}

/** Inputs of the node that made `value`, if that is an `op`. */
export function madeBy(g: GraphBuilder, value: Value, op: string): readonly (Value | null)[] | undefined {
  const producer = g.producer(value)
  return producer?.node.op === op ? producer.inputs : undefined
}

export function integersOf(g: GraphBuilder, value: Value | null | undefined): readonly number[] | undefined {
  const contents = value ? g.contentsOf(value) : undefined
  return contents?.every((dim) => typeof dim === 'number') ? (contents as readonly number[]) : undefined
}
