// Integer arithmetic on the host, exact and with each type's own overflow, where tfjs has none: it multiplies int32 in double precision
// and knows no other integer type. int64 is exact up to 2^53; beyond, an error.
import type { DataType } from '../../graph/graph.ts'
import { AutomlError } from '../../support/errors.ts'
import { broadcastIndex, commonShape } from './broadcast.ts'
import { type Cell, hostCell } from './cell.ts'
import type { Call } from './kernel.ts'

export type IntegerOperator = (a: number, b: number, type: DataType) => number

export const integerOperators = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b, type) => (type === 'int32' ? Math.imul(a, b) : type === 'uint32' ? Math.imul(a, b) >>> 0 : a * b),
  Div: (a, b) => Math.trunc(a / b),
  /** Sign of the divisor. */
  Mod: (a, b) => a - b * Math.floor(a / b),
  /** Sign of the dividend, as in C. */
  Remainder: (a, b) => a % b,
  Pow: (a, b) => a ** b,
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  BitwiseAnd: bits((a, b) => a & b),
  BitwiseOr: bits((a, b) => a | b),
  BitwiseXor: bits((a, b) => a ^ b),
  ShiftLeft: bits((a, b) => (b >= 32 ? 0 : a << b)),
  ShiftRight: bits((a, b, type) => (b >= 32 ? 0 : type === 'int32' ? a >> b : a >>> b)),
} satisfies Record<string, IntegerOperator>

/** The value as the type holds it. @throws ENGINE for int64 beyond 2^53 */
export function wrapInteger(type: DataType, value: number): number {
  switch (type) {
    case 'int8':
      return (value << 24) >> 24
    case 'uint8':
      return value & 255
    case 'int32':
      return value | 0
    case 'uint32':
      return value >>> 0
    default:
      if (Number.isSafeInteger(value) || type.startsWith('float')) return value
      throw new AutomlError('ENGINE', `${type} beyond 2^53: ${value}`)
  }
}

/** Inputs 0 and 1 combined element by element. */
export function combineIntegers(call: Call, operator: IntegerOperator, made: DataType = call.types[0]): Cell {
  const [a, b] = [call.host(0), call.host(1)]
  const type = call.cell(0).type
  const shape = commonShape(call.shape(0), call.shape(1))
  const out = new Float64Array(shape.reduce((x, y) => x * y, 1))
  const apply = (x: number, y: number) => {
    const value = operator(x, y, type)
    return made === 'bool' ? value : wrapInteger(made, value)
  }
  if (b.length === 1) for (let i = 0; i < out.length; i++) out[i] = apply(a[i], b[0])
  else if (a.length === out.length && b.length === out.length) {
    for (let i = 0; i < out.length; i++) out[i] = apply(a[i], b[i])
  } else {
    const [fromA, fromB] = [broadcastIndex(call.shape(0), shape), broadcastIndex(call.shape(1), shape)]
    for (let i = 0; i < out.length; i++) out[i] = apply(a[fromA[i]], b[fromB[i]])
  }
  return hostCell(made, shape, out)
}

/** Input 0 changed element by element. */
export function mapIntegers(call: Call, f: (value: number) => number): Cell {
  const type = call.types[0]
  return hostCell(
    type,
    call.shape(0),
    call.host(0).map((value) => wrapInteger(type, f(value))),
  )
}

/** On 64-bit values both halves are needed; numbers up to 2^53 have an upper half of 21 bits. */
function bits(f: IntegerOperator): IntegerOperator {
  return (a, b, type) => {
    if (Math.abs(a) > 0xffffffff || Math.abs(b) > 0xffffffff) {
      throw new AutomlError('ENGINE', `bits of ${type} beyond 32: ${a}, ${b}`)
    }
    return f(a, b, type)
  }
}
