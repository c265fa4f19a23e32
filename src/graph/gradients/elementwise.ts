// Gradients of element-by-element operators. At kinks (ReLU at 0, equal operands of Max) the first operand's side is taken.
import type { GraphBuilder, Value } from '../builder.ts'
import {
  add,
  cast,
  cos,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  mul,
  neg,
  pow,
  reduceSum,
  sigmoid,
  sign,
  sin,
  sub,
  where,
} from '../functions.ts'
import { firstGrad, type GradientRule, type GradientTable, input, intAttr, type RuleCall, unbroadcast } from './rule.ts'

/** dx = dy * f(x, y) */
function unary(factor: (g: GraphBuilder, x: Value, y: Value, call: RuleCall) => Value): GradientRule {
  return (call) => [mul(call.g, firstGrad(call), factor(call.g, input(call, 0), call.outputs[0], call))]
}

const none: GradientRule = (call) => call.inputs.map(() => null)

const floatAttr = (call: RuleCall, name: string, fallback: number) => intAttr(call, name, fallback)

export const elementwiseGradients: GradientTable = {
  Add: (call) => both(call, (dy) => [dy, dy]),
  Sub: (call) => [
    call.wants(0) ? unbroadcast(call.g, firstGrad(call), input(call, 0)) : null,
    call.wants(1) ? neg(call.g, unbroadcast(call.g, firstGrad(call), input(call, 1))) : null,
  ],
  Mul: (call) => [
    call.wants(0) ? unbroadcast(call.g, mul(call.g, firstGrad(call), input(call, 1)), input(call, 0)) : null,
    call.wants(1) ? unbroadcast(call.g, mul(call.g, firstGrad(call), input(call, 0)), input(call, 1)) : null,
  ],
  Div: (call) => {
    const { g } = call
    const scaled = div(g, firstGrad(call), input(call, 1))
    return [
      call.wants(0) ? unbroadcast(g, scaled, input(call, 0)) : null,
      call.wants(1) ? neg(g, unbroadcast(g, mul(g, scaled, call.outputs[0]), input(call, 1))) : null,
    ]
  },
  Pow: (call) => {
    const { g } = call
    const [x, p] = [input(call, 0), input(call, 1)]
    const dy = firstGrad(call)
    return [
      call.wants(0) ? unbroadcast(g, mul(g, dy, mul(g, p, pow(g, x, sub(g, p, 1)))), x) : null,
      call.wants(1) ? unbroadcast(g, mul(g, dy, mul(g, call.outputs[0], log(g, x))), p) : null,
    ]
  },
  Mod: (call) => [unbroadcast(call.g, firstGrad(call), input(call, 0)), null],
  Sum: (call) => call.inputs.map((x, i) => (call.wants(i) ? unbroadcast(call.g, firstGrad(call), x!) : null)),
  Mean: (call) => {
    const share = div(call.g, firstGrad(call), call.inputs.length)
    return call.inputs.map((x, i) => (call.wants(i) ? unbroadcast(call.g, share, x!) : null))
  },
  Min: (call) => extremum(call, less),
  Max: (call) => extremum(call, greater),
  Identity: (call) => [firstGrad(call)],
  Cast: (call) => [cast(call.g, firstGrad(call), input(call, 0).type)],
  Neg: (call) => [neg(call.g, firstGrad(call))],
  Abs: unary((g, x) => sign(g, x)),
  Sqrt: (call) => [div(call.g, mul(call.g, firstGrad(call), 0.5), call.outputs[0])],
  Reciprocal: unary((g, _, y) => neg(g, mul(g, y, y))),
  Exp: unary((_, __, y) => y),
  Log: (call) => [div(call.g, firstGrad(call), input(call, 0))],
  Sin: unary((g, x) => cos(g, x)),
  Cos: unary((g, x) => neg(g, sin(g, x))),
  Sign: none,
  Round: none,
  Floor: none,
  Ceil: none,
  // 1 where the output is positive; an integer-free form that onnxruntime vectorises and threads: sign of a value >= 0.
  Relu: unary((g, _, y) => sign(g, y)),
  LeakyRelu: unary((g, x, _, call) => where(g, greater(g, x, 0), 1, floatAttr(call, 'alpha', 0.01))),
  Elu: unary((g, x, y, call) => where(g, greater(g, x, 0), 1, add(g, y, floatAttr(call, 'alpha', 1)))),
  HardSigmoid: unary((g, _, y, call) =>
    mul(g, cast(g, g.op('And', [greater(g, y, 0), less(g, y, 1)]), 'float32'), floatAttr(call, 'alpha', 0.2)),
  ),
  HardSwish: unary((g, x) => {
    const middle = add(g, mul(g, x, 1 / 3), 0.5)
    return where(g, less(g, x, -3), 0, where(g, greater(g, x, 3), 1, middle))
  }),
  Sigmoid: unary((g, _, y) => mul(g, y, sub(g, 1, y))),
  Softplus: unary((g, x) => sigmoid(g, x)),
  Tanh: unary((g, _, y) => sub(g, 1, mul(g, y, y))),
  Erf: unary((g, x) => mul(g, exp(g, neg(g, mul(g, x, x))), 2 / Math.sqrt(Math.PI))),
  Gelu: unary((g, x, _, call) => (call.node.attrs.approximate === 'tanh' ? tanhGeluSlope(g, x) : geluSlope(g, x))),
  Clip: (call) => {
    const { g } = call
    const [x, y] = [input(call, 0), call.outputs[0]]
    return [where(g, equal(g, x, y), firstGrad(call), 0), null, null].slice(0, call.inputs.length)
  },
  Where: (call) => {
    const { g } = call
    const [condition, a, b] = [input(call, 0), input(call, 1), input(call, 2)]
    const dy = firstGrad(call)
    return [
      null,
      call.wants(1) ? unbroadcast(g, where(g, condition, dy, 0), a) : null,
      call.wants(2) ? unbroadcast(g, where(g, condition, 0, dy), b) : null,
    ]
  },
  Softmax: (call) => {
    const { g } = call
    const [dy, y] = [firstGrad(call), call.outputs[0]]
    const weighted = reduceSum(g, mul(g, dy, y), [intAttr(call, 'axis', -1)], true)
    return [mul(g, y, sub(g, dy, weighted))]
  },
  LogSoftmax: (call) => {
    const { g } = call
    const dy = firstGrad(call)
    const total = reduceSum(g, dy, [intAttr(call, 'axis', -1)], true)
    return [sub(g, dy, mul(g, exp(g, call.outputs[0]), total))]
  },
}

function both(call: RuleCall, grads: (dy: Value) => [Value, Value]): (Value | null)[] {
  return grads(firstGrad(call)).map((grad, i) => (call.wants(i) ? unbroadcast(call.g, grad, input(call, i)) : null))
}

/** The gradient goes to the first operand that is the extremum. */
function extremum(call: RuleCall, beyond: typeof greater): (Value | null)[] {
  const { g } = call
  const dy = firstGrad(call)
  const out: (Value | null)[] = []
  let rest = dy
  call.inputs.forEach((operand, i) => {
    const x = operand!
    const last = i === call.inputs.length - 1
    const loses = last ? null : beyond(g, call.outputs[0], x)
    out.push(call.wants(i) ? unbroadcast(g, loses ? where(g, loses, 0, rest) : rest, x) : null)
    if (loses) rest = where(g, loses, rest, 0)
  })
  return out
}

/** d/dx of x * Phi(x) = Phi(x) + x * phi(x). */
function geluSlope(g: GraphBuilder, x: Value): Value {
  const cdf = mul(g, add(g, g.op('Erf', [mul(g, x, Math.SQRT1_2)]), 1), 0.5)
  const pdf = mul(g, exp(g, mul(g, mul(g, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return add(g, cdf, mul(g, x, pdf))
}

/** d/dx of x/2 (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3). */
function tanhGeluSlope(g: GraphBuilder, x: Value): Value {
  const c = Math.sqrt(2 / Math.PI)
  const square = mul(g, x, x)
  const t = g.op('Tanh', [mul(g, x, add(g, mul(g, square, 0.044715 * c), c))])
  const inner = add(g, mul(g, square, 3 * 0.044715 * c), c)
  const tail = mul(g, mul(g, x, mul(g, sub(g, 1, mul(g, t, t)), inner)), 0.5)
  return add(g, mul(g, add(g, t, 1), 0.5), tail)
}
