// Arithmetic that changes nothing, scalars that can be gathered, and broadcasts that an operator does anyway. Results may differ in
// the last bit: (x c) d becomes x (c d).
import type { Value } from '../builder.ts'
import { broadcastShapes } from '../dims.ts'
import { madeBy, outputShape, type Rewrite, type Rule, type RuleTable, sameShape, uniform } from './rewrite.ts'

/** x where the other operand is the neutral element and does not widen it. `sides`: which operand may be neutral. */
const neutral =
  (element: number, sides: readonly number[]): Rule =>
  (call) => {
    for (const side of sides) {
      const [constant, x] = [call.inputs[side]!, call.inputs[1 - side]!]
      if (uniform(call.g, constant) === element && sameShape(x.shape, outputShape(call))) return x
    }
    return null
  }

/** A float constant of one element. */
function scalarOf(call: Rewrite, value: Value): number | undefined {
  return value.shape.length === 0 && value.type === 'float32' ? uniform(call.g, value) : undefined
}

/** The value as another times a number: `x c`, `c x`, `x / c`, `-x`. */
function scaled(call: Rewrite, value: Value): { x: Value; factor: number } | undefined {
  const { g } = call
  const product = madeBy(g, value, 'Mul') as Value[] | undefined
  for (const side of [0, 1]) {
    const factor = product && scalarOf(call, product[side])
    if (factor !== undefined) return { x: product![1 - side], factor }
  }
  const quotient = madeBy(g, value, 'Div') as Value[] | undefined
  const divisor = quotient && scalarOf(call, quotient[1])
  if (divisor !== undefined) return { x: quotient![0], factor: 1 / divisor }
  const negated = madeBy(g, value, 'Neg')
  return negated && value.type === 'float32' ? { x: negated[0]!, factor: -1 } : undefined
}

/** Two scalings in a row are one, where their product is an ordinary number. */
const gatherScalars: Rule = (call) => {
  const { g, op, inputs } = call
  const sides = op === 'Mul' ? [0, 1] : [0]
  for (const side of sides) {
    const other = op === 'Neg' ? -1 : scalarOf(call, inputs[1 - side]!)
    const inner = other === undefined ? undefined : scaled(call, inputs[side]!)
    if (other === undefined || inner === undefined) continue
    const factor = Math.fround(inner.factor * (op === 'Div' ? 1 / other : other))
    if (!Number.isFinite(factor) || Math.abs(factor) < 2 ** -100) continue
    return factor === -1 ? call.emit('Neg', [inner.x]) : call.emit('Mul', [inner.x, g.scalar(factor)])
  }
  return null
}

/** x + -y is x - y, x - -y is x + y. */
const absorbNegation: Rule = (call) => {
  const [x, y] = call.inputs as Value[]
  const opposite = call.op === 'Add' ? 'Sub' : 'Add'
  const second = madeBy(call.g, y, 'Neg')
  if (second) return call.emit(opposite, [x, second[0]])
  const first = call.op === 'Add' ? madeBy(call.g, x, 'Neg') : undefined
  return first ? call.emit('Sub', [y, first[0]]) : null
}

/** -(x - y) is y - x. */
const turnDifference: Rule = (call) => {
  const difference = madeBy(call.g, call.inputs[0]!, 'Sub')
  return difference ? call.emit('Sub', [difference[1], difference[0]]) : null
}

const smallPowers: Rule = (call) => {
  const [x, exponent] = call.inputs as Value[]
  const power = uniform(call.g, exponent)
  if ((power !== 1 && power !== 2) || !sameShape(x.shape, outputShape(call))) return null
  return power === 1 ? x : call.emit('Mul', [x, x])
}

/** An operand need not be expanded to a shape that broadcasting gives it. */
const dropExpand: Rule = (call) => {
  const { g, inputs } = call
  for (let i = 0; i < inputs.length; i++) {
    const narrow = inputs[i] && madeBy(g, inputs[i]!, 'Expand')?.[0]
    if (!narrow) continue
    const replaced = inputs.with(i, narrow)
    const shape = replaced.reduce<ReturnType<typeof broadcastShapes>>(
      (wide, value) => wide && broadcastShapes(wide, value!.shape),
      [],
    )
    if (shape && sameShape(shape, outputShape(call))) return call.emit(call.op, replaced, call.attrs)
  }
  return null
}

const BROADCASTING = ['Sum', 'Mean', 'Min', 'Max', 'Where', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']

export const arithmeticRules: RuleTable = {
  ...Object.fromEntries(BROADCASTING.map((op) => [op, [dropExpand]])),
  Add: [neutral(0, [0, 1]), absorbNegation, dropExpand],
  Sub: [neutral(0, [1]), absorbNegation, dropExpand],
  Mul: [neutral(1, [0, 1]), gatherScalars, dropExpand],
  Div: [neutral(1, [1]), gatherScalars, dropExpand],
  Neg: [gatherScalars, turnDifference],
  Pow: [smallPowers, dropExpand],
}
