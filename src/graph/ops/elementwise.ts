// Element-by-element operators with numpy broadcasting, casts and comparisons.
import type { DataType } from '../graph.ts'
import type { OpSpec, OpTable } from './spec.ts'

const DATA_TYPES: readonly DataType[] = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
]

const unary = (attrs: OpSpec['attrs'] = {}): OpSpec => ({
  arity: [1, 1],
  attrs,
  infer: (c) => [{ type: c.in(0).type, shape: c.in(0).shape }],
})

const unaryFloat = (attrs: OpSpec['attrs'] = {}): OpSpec => ({
  arity: [1, 1],
  attrs,
  infer: (c) => [{ type: c.typeIn(0, 'float32', 'float64'), shape: c.in(0).shape }],
})

const binary = (attrs: OpSpec['attrs'] = {}): OpSpec => ({
  arity: [2, 2],
  attrs,
  infer: (c) => [{ type: c.sameType(0, 1), shape: c.broadcast(0, 1) }],
})

const comparison: OpSpec = {
  arity: [2, 2],
  infer: (c) => {
    c.sameType(0, 1)
    return [{ type: 'bool', shape: c.broadcast(0, 1) }]
  },
}

const logical: OpSpec = {
  arity: [2, 2],
  infer: (c) => {
    c.typeIn(0, 'bool')
    c.typeIn(1, 'bool')
    return [{ type: 'bool', shape: c.broadcast(0, 1) }]
  },
}

const variadic: OpSpec = {
  arity: [1, Number.POSITIVE_INFINITY],
  infer: (c) => {
    const all = c.inputs.map((_, i) => i)
    return [{ type: c.sameType(...all), shape: c.broadcast(...all) }]
  },
}

const floatTest: OpSpec = {
  arity: [1, 1],
  attrs: { detect_negative: 'int', detect_positive: 'int' },
  infer: (c) => {
    c.typeIn(0, 'float32', 'float64')
    return [{ type: 'bool', shape: c.in(0).shape }]
  },
}

export const elementwiseOps: OpTable = {
  Add: binary(),
  Sub: binary(),
  Mul: binary(),
  Div: binary(),
  Mod: binary({ fmod: 'int' }),
  BitShift: binary({ direction: 'string' }),
  BitwiseAnd: binary(),
  BitwiseOr: binary(),
  BitwiseXor: binary(),
  BitwiseNot: unary(),
  Pow: { arity: [2, 2], infer: (c) => [{ type: c.in(0).type, shape: c.broadcast(0, 1) }] },
  Min: variadic,
  Max: variadic,
  Sum: variadic,
  Mean: variadic,
  Identity: unary(),
  Neg: unary(),
  Abs: unary(),
  Sign: unary(),
  Sqrt: unaryFloat(),
  Reciprocal: unaryFloat(),
  Exp: unaryFloat(),
  Log: unaryFloat(),
  Sin: unaryFloat(),
  Cos: unaryFloat(),
  Round: unaryFloat(),
  Floor: unaryFloat(),
  Ceil: unaryFloat(),
  Relu: unary(),
  LeakyRelu: unaryFloat({ alpha: 'float' }),
  Elu: unaryFloat({ alpha: 'float' }),
  HardSigmoid: unaryFloat({ alpha: 'float', beta: 'float' }),
  HardSwish: unaryFloat(),
  Sigmoid: unaryFloat(),
  Softplus: unaryFloat(),
  Tanh: unaryFloat(),
  Erf: unaryFloat(),
  Gelu: unaryFloat({ approximate: 'string' }),
  QuickGelu: { ...unaryFloat({ alpha: 'float' }), domain: 'com.microsoft' },
  IsNaN: floatTest,
  IsInf: floatTest,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  And: logical,
  Or: logical,
  Xor: logical,
  Not: {
    arity: [1, 1],
    infer: (c) => [{ type: c.typeIn(0, 'bool'), shape: c.in(0).shape }],
  },
  Clip: {
    arity: [1, 3],
    infer: (c) => {
      for (const i of [1, 2]) if (c.optional(i) && c.in(i).shape.length > 0) c.fail('bounds must be scalars')
      return [{ type: c.in(0).type, shape: c.in(0).shape }]
    },
  },
  Where: {
    arity: [3, 3],
    infer: (c) => {
      c.typeIn(0, 'bool')
      return [{ type: c.sameType(1, 2), shape: c.broadcast(0, 1, 2) }]
    },
  },
  Cast: {
    arity: [1, 1],
    attrs: { to: 'string' },
    infer: (c) => {
      const to = c.text('to', '') as DataType
      if (!DATA_TYPES.includes(to)) c.fail(`attribute to: received "${to}"; must be one of ${DATA_TYPES.join(', ')}`)
      return [{ type: to, shape: c.in(0).shape }]
    },
  },
  Softmax: softmaxLike(),
  LogSoftmax: softmaxLike(),
}

function softmaxLike(): OpSpec {
  return {
    arity: [1, 1],
    attrs: { axis: 'int' },
    infer: (c) => {
      c.axis(c.rankAtLeast(0, 1).length, -1)
      return [{ type: c.typeIn(0, 'float32', 'float64'), shape: c.in(0).shape }]
    },
  }
}
