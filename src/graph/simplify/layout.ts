// Movements that end where they began, or that one movement does as well.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, isStatic } from '../dims.ts'
import { integersOf, outputShape, type Rewrite, type Rule, type RuleTable, sameShape, uniform } from './rewrite.ts'

const first: Rule = ({ inputs }) => inputs[0]

const RESHAPING = ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']

/** The tensor that a chain of reshapes started from. */
function rootOf(g: GraphBuilder, value: Value): Value {
  const producer = g.producer(value)
  return producer && RESHAPING.includes(producer.node.op) ? rootOf(g, producer.inputs[0]!) : value
}

/** A Reshape target for a shape with at most one symbol; undefined where that cannot be written. */
function targetOf(shape: readonly Dim[]): number[] | undefined {
  const open = shape.filter((dim) => typeof dim === 'string').length
  if (open > 1 || shape.includes(0)) return undefined
  return shape.map((dim) => (typeof dim === 'string' ? -1 : dim))
}

function reshapeTo(call: Rewrite, x: Value, shape: readonly Dim[]): Value | null {
  if (sameShape(x.shape, shape)) return x
  const target = targetOf(shape)
  return target ? call.emit('Reshape', [x, call.g.ints(target)]) : null
}

/** To the same shape: nothing. After another reshape: one. */
const reshape: Rule = (call) => {
  const x = call.inputs[0]!
  const shape = outputShape(call)
  const root = rootOf(call.g, x)
  return root !== x || sameShape(x.shape, shape) ? reshapeTo(call, root, shape) : null
}

function permOf({ attrs }: { attrs: Rewrite['attrs'] }, rank: number): readonly number[] {
  return (attrs.perm as number[] | undefined) ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
}

/** Pairs are one; one that moves only axes of size 1 is a reshape. */
const transpose: Rule = (call) => {
  const { g } = call
  const x = call.inputs[0]!
  const perm = permOf(call, x.shape.length)
  if (perm.every((axis, i) => axis === i)) return x
  const inner = g.producer(x)
  if (inner?.node.op === 'Transpose') {
    const before = permOf(inner.node, perm.length)
    return call.emit('Transpose', [inner.inputs[0]], { perm: perm.map((axis) => before[axis]) })
  }
  const wide = perm.filter((axis) => x.shape[axis] !== 1)
  const moves = wide.some((axis, i) => i > 0 && axis < wide[i - 1])
  return moves ? null : reshapeTo(call, x, outputShape(call))
}

const sameType: Rule = ({ inputs, attrs }) => (inputs[0]!.type === attrs.to ? inputs[0] : null)

const toSameShape: Rule = (call) => (sameShape(call.inputs[0]!.shape, outputShape(call)) ? call.inputs[0] : null)

const wholeSlice: Rule = (call) => {
  const steps = call.inputs[4] ? integersOf(call.g, call.inputs[4]) : []
  return steps?.every((step) => step === 1) && isStatic(call.inputs[0]!.shape) ? toSameShape(call) : null
}

const noPads: Rule = (call) => (integersOf(call.g, call.inputs[1])?.every((size) => size === 0) ? call.inputs[0] : null)

/** One part is itself; parts of parts are parts. */
const concat: Rule = (call) => {
  const { g, inputs, attrs } = call
  if (inputs.length === 1) return inputs[0]
  const nested = (value: Value) => {
    const producer = g.producer(value)
    return producer?.node.op === 'Concat' && producer.node.attrs.axis === attrs.axis ? producer.inputs : undefined
  }
  if (!inputs.some((value) => nested(value!))) return null
  return call.emit(
    'Concat',
    inputs.flatMap((value) => nested(value!) ?? [value]),
    attrs,
  )
}

/** Over axes of one element each there is nothing to reduce. */
const reduceOnes: Rule = (call) => {
  const { g, inputs } = call
  const x = inputs[0]!
  const axes = inputs[1] ? integersOf(g, inputs[1]) : undefined
  if (!axes || axes.length === 0) return null
  return axes.every((axis) => x.shape.at(axis) === 1) ? reshapeTo(call, x, outputShape(call)) : null
}

/** x with zeros before and after along one axis. */
interface Padded {
  x: Value
  axis: number
  before: number
  after: number
}

function paddedAlongOne(g: GraphBuilder, value: Value): Padded | undefined {
  const producer = g.producer(value)
  if (producer?.node.op !== 'Pad' || (producer.node.attrs.mode ?? 'constant') !== 'constant') return undefined
  const [x, sizes, fill, axes] = producer.inputs
  const pads = axes ? undefined : integersOf(g, sizes)
  if (!x || !pads || (fill && uniform(g, fill) !== 0)) return undefined
  const rank = x.shape.length
  const moved = x.shape.flatMap((_, axis) => (pads[axis] !== 0 || pads[axis + rank] !== 0 ? [axis] : []))
  if (moved.length !== 1 || pads.some((size) => size < 0)) return undefined
  return { x, axis: moved[0], before: pads[moved[0]], after: pads[moved[0] + rank] }
}

/** The gradients of neighbouring slices, each padded to the whole and added, are their concatenation. */
export const joinPadded: Rule = (call) => {
  const { g, inputs } = call
  const [a, b] = (inputs as Value[]).map((value) => paddedAlongOne(g, value))
  if (!a || !b || a.axis !== b.axis) return null
  const [low, high] = a.before < b.before ? [a, b] : [b, a]
  const end = low.x.shape[low.axis]
  if (typeof end !== 'number' || low.before + end !== high.before) return null
  const joined = call.emit('Concat', [low.x, high.x], { axis: low.axis })
  const rank = joined.shape.length
  const pads = new Array<number>(2 * rank).fill(0)
  pads[low.axis] = low.before
  pads[low.axis + rank] = high.after
  return call.emit('Pad', [joined, g.ints(pads), g.scalar(0, joined.type)], { mode: 'constant' })
}

const REDUCTIONS = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd']

export const layoutRules: RuleTable = {
  ...Object.fromEntries(RESHAPING.map((op) => [op, [reshape]])),
  ...Object.fromEntries(REDUCTIONS.map((op) => [op, [reduceOnes]])),
  Identity: [first],
  Transpose: [transpose],
  Cast: [sameType],
  Expand: [toSameShape],
  Slice: [wholeSlice],
  Pad: [noPads],
  Concat: [concat],
}
