// An optimizer as a graph: from a parameter, its gradient and its slots to their next values. Everything that a schedule may
// change (learning rate, momentum, decay) is a scalar input of the step, so schedules live outside.
import type { GraphBuilder, Value } from '../builder.ts'
import { div, minimum, mul, reduceSumSquare, sqrt } from '../functions.ts'
import type { ParameterSpec } from '../layers/network.ts'

/** Scalars of one step, by name. */
export type Scalars = Readonly<Record<string, Value>>

export interface Optimizer {
  readonly name: string
  /** Slots kept per parameter, starting at zero. */
  readonly slots: readonly string[]
  /** Scalar inputs of the step and their values where the caller gives none. */
  readonly scalars: Readonly<Record<string, number>>
  /** Scalars that follow from the step number (from 1) and the others: bias corrections. */
  derived?(step: number, scalars: Readonly<Record<string, number>>): Record<string, number>
  update(g: GraphBuilder, call: UpdateCall): { value: Value; slots: Value[] }
}

export interface UpdateCall {
  value: Value
  grad: Value
  slots: readonly Value[]
  scalars: Scalars
  /** Whether weight decay applies to this parameter. */
  decay: boolean
  /** What the parameter is to its layer. */
  kind: ParameterSpec['kind']
}

/** Scales all gradients so that their joint norm is at most `limit` (Pascanu et al. 2013, section 3.2). */
export function clipByNorm(g: GraphBuilder, grads: readonly Value[], limit: Value): { grads: Value[]; norm: Value } {
  const squares = grads.map((grad) => reduceSumSquare(g, grad))
  const norm = sqrt(g, squares.length === 1 ? squares[0] : g.op('Sum', squares))
  const factor = minimum(g, div(g, limit, g.op('Max', [norm, g.scalar(1e-12)])), 1)
  return { grads: grads.map((grad) => mul(g, grad, factor)), norm }
}
