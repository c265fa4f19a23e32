// Element-by-element operators by their definitions in the ONNX specification.
import type { DataType } from '../../../src/graph/graph.ts'
import { erf } from './erf.ts'
import {
  broadcastAt,
  broadcastShape,
  fromEnd,
  generate,
  input,
  intAttr,
  type RefOp,
  type RefTable,
  type RefTensor,
  textAttr,
  wrap,
} from './tensor.ts'

type Attr = (name: string, fallback: number) => number

function unary(f: (x: number, attr: Attr) => number, type?: DataType): RefOp {
  return (call) => {
    const x = input(call, 0)
    const attr: Attr = (name, fallback) => intAttr(call, name, fallback)
    const to = type ?? x.type
    return { type: to, shape: x.shape, data: x.data.map((v) => wrap(to, f(v, attr))) }
  }
}

function fold(type: DataType, xs: readonly RefTensor[], f: (a: number, b: number) => number): RefTensor {
  const shape = broadcastShape(...xs.map((x) => x.shape))
  return generate(type, shape, (index) => xs.map((x) => broadcastAt(x, index)).reduce(f))
}

const variadic =
  (f: (a: number, b: number) => number): RefOp =>
  (call) => {
    const { type } = input(call, 0)
    return fold(type, call.inputs as RefTensor[], (a, b) => wrap(type, f(a, b)))
  }

/** `f` gets the type, since integers divide and multiply in their own way. */
function binary(f: (a: number, b: number, type: DataType, attr: Attr) => number, to?: DataType): RefOp {
  return (call) => {
    const { type } = input(call, 0)
    const attr: Attr = (name, fallback) => intAttr(call, name, fallback)
    return fold(to ?? type, [input(call, 0), input(call, 1)], (a, b) => wrap(to ?? type, f(a, b, type, attr)))
  }
}

const comparison = (f: (a: number, b: number) => boolean) => binary((a, b) => Number(f(a, b)), 'bool')

const isFloat = (type: DataType) => type.startsWith('float')
const wraps32 = (type: DataType) => type === 'int32' || type === 'uint32'

/** Half to even. */
function roundEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2))
const tanhGelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** Along one axis: the exponentials of a slice over their sum, or the logarithm of that. */
const softmax =
  (logarithm: boolean): RefOp =>
  (call) => {
    const x = input(call, 0)
    const axis = fromEnd(intAttr(call, 'axis', -1), x.shape.length)
    const at = (index: readonly number[], k: number) => broadcastAt(x, index.with(axis, k))
    return generate(x.type, x.shape, (index, flat) => {
      const slice = Array.from({ length: x.shape[axis] }, (_, k) => at(index, k))
      const highest = Math.max(...slice)
      const total = slice.reduce((sum, v) => sum + Math.exp(v - highest), 0)
      const log = x.data[flat] - highest - Math.log(total)
      return logarithm ? log : Math.exp(log)
    })
  }

export const elementwiseReference: RefTable = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b, type) => (wraps32(type) ? Math.imul(a, b) : a * b)),
  Div: binary((a, b, type) => (isFloat(type) ? a / b : Math.trunc(a / b))),
  Mod: binary((a, b, _, attr) => {
    const remainder = a % b
    return attr('fmod', 0) === 1 || remainder === 0 || remainder < 0 === b < 0 ? remainder : remainder + b
  }),
  Pow: binary((a, b) => a ** b),
  BitShift: (call) => {
    const left = textAttr(call, 'direction', 'LEFT') === 'LEFT'
    const { type } = input(call, 0)
    const shift = (a: number, b: number) => wrap(type, left ? a * 2 ** b : Math.floor(a / 2 ** b))
    return fold(type, [input(call, 0), input(call, 1)], shift)
  },
  BitwiseAnd: binary((a, b) => a & b),
  BitwiseOr: binary((a, b) => a | b),
  BitwiseXor: binary((a, b) => a ^ b),
  BitwiseNot: unary((x) => ~x),
  Min: variadic((a, b) => (Number.isNaN(a) ? a : Math.min(a, b))),
  Max: variadic((a, b) => (Number.isNaN(a) ? a : Math.max(a, b))),
  Sum: variadic((a, b) => a + b),
  Mean: (call) => {
    const sum = fold(input(call, 0).type, call.inputs as RefTensor[], (a, b) => a + b)
    return { ...sum, data: sum.data.map((v) => v / call.inputs.length) }
  },
  Identity: unary((x) => x),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Round: unary(roundEven),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Relu: unary((x) => (x < 0 ? 0 : x)),
  LeakyRelu: unary((x, attr) => (x < 0 ? attr('alpha', 0.01) * x : x)),
  Elu: unary((x, attr) => (x < 0 ? attr('alpha', 1) * Math.expm1(x) : x)),
  HardSigmoid: unary((x, attr) => Math.max(0, Math.min(1, attr('alpha', 0.2) * x + attr('beta', 0.5)))),
  HardSwish: unary((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Sigmoid: unary(sigmoid),
  Softplus: unary((x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)),
  Tanh: unary(Math.tanh),
  Erf: unary(erf),
  Gelu: (call) => unary(textAttr(call, 'approximate', 'none') === 'tanh' ? tanhGelu : gelu)(call),
  QuickGelu: unary((x, attr) => x * sigmoid(attr('alpha', 1.702) * x)),
  IsNaN: unary((x) => Number(Number.isNaN(x)), 'bool'),
  IsInf: unary((x, attr) => {
    const counts = x > 0 ? attr('detect_positive', 1) : attr('detect_negative', 1)
    return Math.abs(x) === Number.POSITIVE_INFINITY ? counts : 0
  }, 'bool'),
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
  Not: unary((x) => Number(x === 0)),
  Clip: (call) => {
    const x = input(call, 0)
    const low = call.inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY
    const high = call.inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY
    return { ...x, data: x.data.map((v) => Math.min(Math.max(v, low), high)) }
  },
  Where: (call) => {
    const [condition, a, b] = call.inputs as RefTensor[]
    const shape = broadcastShape(condition.shape, a.shape, b.shape)
    return generate(a.type, shape, (index) => broadcastAt(broadcastAt(condition, index) ? a : b, index))
  },
  Cast: (call) => {
    const x = input(call, 0)
    const to = textAttr(call, 'to', 'float32') as DataType
    const convert = (v: number) => (isFloat(to) || to === 'bool' ? wrap(to, v) : wrap(to, Math.trunc(v)))
    return { type: to, shape: x.shape, data: x.data.map(convert) }
  },
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
}
