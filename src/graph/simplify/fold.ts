// Constants from constants: integers whose contents the builder knows (shapes, axes, bounds), and small float32 tensors through the
// common element-by-element operators, reshapes and expansions. Other operators on constants are left to the engines.
import type { GraphBuilder, Value } from '../builder.ts'
import { arrayOf } from '../builder.ts'
import { isStatic, sizeOf } from '../dims.ts'
import { outputShape, type Rewrite } from './rewrite.ts'

/** A folded constant is stored and read like any tensor: larger ones cost more memory than the operator costs time. */
const MAX_SIZE = 256

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Exp: Math.exp,
  Log: Math.log,
}

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
}

const MOVING = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Expand'])

/** Operators that `foldFloats` knows. */
export const FOLDED: ReadonlySet<string> = new Set([...Object.keys(UNARY), ...Object.keys(BINARY), ...MOVING])

/** The first output of a float32 node as a constant, or null. */
export function foldFloats(rewrite: Rewrite): Value | null {
  const { g, op, inputs } = rewrite
  const x = inputs[0]
  if (x?.type !== 'float32' || !FOLDED.has(op) || g.constantOf(x) === undefined) return null
  const operands = inputs.filter((value) => value !== null && value.type === 'float32') as Value[]
  const arrays = operands.map((value) => g.constantOf(value)?.data as Float32Array | undefined)
  if (arrays.some((data) => data === undefined || data.length > MAX_SIZE)) return null
  const shape = outputShape(rewrite)
  if (!isStatic(shape) || sizeOf(shape) > MAX_SIZE) return null
  const [a, b] = arrays as Float32Array[]
  if (op in UNARY) return g.constant(a.map(UNARY[op]), shape)
  const at = operands.map((operand) => places(operand.shape as number[], shape))
  const combine = op in BINARY ? BINARY[op] : (v: number) => v
  if (!(op in BINARY) && op !== 'Expand') return g.constant(a.slice(), shape)
  const size = sizeOf(shape)
  return g.constant(
    Float32Array.from({ length: size }, (_, i) => combine(a[at[0][i]], b?.[at[1][i]])),
    shape,
  )
}

/** Where broadcasting reads each element of `shape` from a tensor of shape `from`. */
function places(from: readonly number[], shape: readonly number[]): number[] {
  const lead = shape.length - from.length
  return Array.from({ length: sizeOf(shape) }, (_, flat) => {
    let [rest, at, stride] = [flat, 0, 1]
    for (let axis = shape.length - 1; axis >= lead; axis--) {
      const size = from[axis - lead]
      if (size !== 1) at += (rest % shape[axis]) * stride
      stride *= size
      rest = Math.floor(rest / shape[axis])
    }
    return at
  })
}

/** An integer value that the builder knows, as a constant; null where it is not known or is one already. */
export function foldIntegers(g: GraphBuilder, value: Value): Value | null {
  if ((value.type !== 'int64' && value.type !== 'int32') || g.constantOf(value)) return null
  const contents = g.contentsOf(value)
  if (!contents || !isStatic(contents) || !isStatic(value.shape)) return null
  if (contents.length !== sizeOf(value.shape)) return null
  if (value.type === 'int64' && value.shape.length === 1) return g.ints(contents)
  return g.constant(arrayOf(value.type, contents), value.shape, value.type)
}
