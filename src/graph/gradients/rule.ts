// A gradient rule: from the gradients of a node's outputs to those of its inputs, as new nodes in the same graph.

import { AutomlError } from '../../support/errors.ts'
import type { GraphBuilder, Producer, Value } from '../builder.ts'
import { formatShape } from '../dims.ts'
import { expand, reduceSum, reshape, shapeOf } from '../functions.ts'

/** One node on the way back. */
export interface RuleCall {
  readonly g: GraphBuilder
  readonly node: Producer['node']
  readonly inputs: readonly (Value | null)[]
  readonly outputs: readonly Value[]
  /** Gradient per output; null where the loss does not depend on it. */
  readonly grads: readonly (Value | null)[]
  /** Whether the gradient of input `i` is wanted: others may be left out. */
  wants(i: number): boolean
}

/** Gradient per input; null where there is none. Shapes equal the inputs'. */
export type GradientRule = (call: RuleCall) => (Value | null)[]

export type GradientTable = Readonly<Record<string, GradientRule>>

/** For nodes with one output that matters. */
export function firstGrad(call: RuleCall): Value {
  const grad = call.grads[0]
  if (grad === null) throw new AutomlError('GRAPH_OP', `${call.node.op}: only its first output has a gradient`)
  return grad
}

export function input(call: RuleCall, i: number): Value {
  return call.inputs[i]!
}

/** Undoes broadcasting: sums `grad` down to the shape of `like`. */
export function unbroadcast(g: GraphBuilder, grad: Value, like: Value): Value {
  const lead = grad.shape.length - like.shape.length
  const axes = grad.shape.flatMap((dim, i) => (i < lead || (like.shape[i - lead] === 1 && dim !== 1) ? [i] : []))
  if (axes.length === 0) return grad
  if (axes.length === lead) return reduceSum(g, grad, axes)
  const summed = reduceSum(g, grad, axes, true)
  return lead === 0 ? summed : reshape(g, summed, like.shape)
}

/** Broadcasts `grad` to the shape of `like`, symbolic sizes included. */
export function expandLike(g: GraphBuilder, grad: Value, like: Value): Value {
  if (formatShape(grad.shape) === formatShape(like.shape)) return grad
  const sizes = like.shape.every((dim) => typeof dim === 'number') ? (like.shape as number[]) : shapeOf(g, like)
  return g.refine(expand(g, grad, sizes), like.shape)
}

/** Reshapes `grad` to the shape of `like`, symbolic sizes included. */
export function reshapeLike(g: GraphBuilder, grad: Value, like: Value): Value {
  const open = like.shape.filter((dim) => typeof dim === 'string').length
  const value = open > 1 ? g.op('Reshape', [grad, shapeOf(g, like)]) : reshape(g, grad, withOneHole(like))
  return g.refine(value, like.shape)
}

function withOneHole(like: Value): (number | string)[] {
  return like.shape.map((dim) => (typeof dim === 'string' ? -1 : dim))
}

export function intAttr(call: RuleCall, name: string, fallback: number): number {
  const value = call.node.attrs[name]
  return typeof value === 'number' ? value : fallback
}

export function intsAttr(call: RuleCall, name: string, fallback: readonly number[]): readonly number[] {
  const value = call.node.attrs[name]
  return typeof value === 'object' ? (value as readonly number[]) : fallback
}

/** @throws GRAPH_OP: this use of the operator cannot be trained through */
export function unsupported(call: RuleCall, reason: string): never {
  const inputs = call.inputs.map((v) => (v ? `${v.name} ${formatShape(v.shape)}` : '-')).join(', ')
  throw new AutomlError('GRAPH_OP', `gradient of ${call.node.op}(${inputs}): ${reason}`)
}
