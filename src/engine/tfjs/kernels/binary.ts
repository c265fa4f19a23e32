// Operators of two or more tensors, element by element with numpy broadcasting.
import { isInteger } from '../cell.ts'
import { combineIntegers, type IntegerOperator, integerOperators } from '../integers.ts'
import { aligned, Call, type Kernel, type KernelTable, type Made } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'

type Binary = (tf: Tf, a: TfTensor, b: TfTensor, call: Call) => TfTensor

/** Integers go over the host unless tfjs computes them exactly: `native` says on which bindings int32 does. */
function arithmetic(name: keyof typeof integerOperators, f: Binary, exact: 'always' | 'native' | 'never'): Kernel {
  return (call) => {
    const { type } = call.cell(0)
    if (isInteger(type)) {
      const trusted = exact === 'always' || (exact === 'native' && call.runtime.binding === 'native')
      if (type !== 'int32' || !trusted || (call.onHost(0) && call.onHost(1))) {
        return combineIntegers(call, integerOperators[name])
      }
    }
    return floats(call, f)
  }
}

function floats(call: Call, f: Binary): Made {
  const { tensors, made } = aligned(call)
  return made(f(call.tf, tensors[0], tensors[1], call))
}

/** Comparisons of integers that are on the host stay there: they may be wider than 32 bits. */
function comparison(f: Binary, integer: (a: number, b: number) => boolean): Kernel {
  return (call) => {
    if (isInteger(call.cell(0).type) && (call.onHost(0) || call.onHost(1)) && !small(call)) {
      return combineIntegers(call, (a, b) => +integer(a, b), 'bool')
    }
    return floats(call, f)
  }
}

/** Whether both fit int32. */
function small(call: Call): boolean {
  return [0, 1].every((i) => !call.onHost(i) || call.host(i).every((value) => value === (value | 0)))
}

const logical =
  (f: Binary): Kernel =>
  (call) =>
    floats(call, f)

function variadic(
  name: keyof typeof integerOperators,
  f: Binary,
  finish?: (call: Call, x: TfTensor) => TfTensor,
): Kernel {
  return (call) => {
    if (isInteger(call.cell(0).type)) {
      const cells = call.inputs.map((_, i) => call.cell(i))
      return cells.reduce((sum, cell) =>
        combineIntegers(new Call(call.runtime, call.node, [sum, cell], call.types), integerOperators[name]),
      )
    }
    const { tensors, made } = aligned(call)
    const sum = tensors.length === 1 ? tensors[0].clone() : tensors.reduce((a, b) => f(call.tf, a, b, call))
    return made(finish === undefined ? sum : finish(call, sum))
  }
}

const sum: Binary = (tf, a, b) => tf.add(a, b)

export const binaryKernels: KernelTable = {
  Add: arithmetic('Add', sum, 'always'),
  Sub: arithmetic('Sub', (tf, a, b) => tf.sub(a, b), 'always'),
  Mul: arithmetic('Mul', (tf, a, b) => tf.mul(a, b), 'native'),
  Div: arithmetic('Div', (tf, a, b) => tf.div(a, b), 'never'),
  Mod: (call) => {
    if (isInteger(call.cell(0).type)) {
      return combineIntegers(call, call.flag('fmod') ? integerOperators.Remainder : integerOperators.Mod)
    }
    return floats(call, (tf, a, b) => {
      if (!call.flag('fmod')) return tf.mod(a, b)
      const quotient = tf.div(a, b)
      return tf.sub(a, tf.mul(b, tf.mul(tf.sign(quotient), tf.floor(tf.abs(quotient)))))
    })
  },
  Pow: (call) => {
    if (isInteger(call.cell(0).type)) return combineIntegers(call, integerOperators.Pow)
    return floats(call, (tf, a, b) => tf.pow(a, tf.cast(b, 'float32')))
  },
  BitShift: bitwise((call) =>
    call.text('direction', 'LEFT') === 'LEFT' ? integerOperators.ShiftLeft : integerOperators.ShiftRight,
  ),
  BitwiseAnd: bitwise(() => integerOperators.BitwiseAnd),
  BitwiseOr: bitwise(() => integerOperators.BitwiseOr),
  BitwiseXor: bitwise(() => integerOperators.BitwiseXor),
  Min: variadic('Min', (tf, a, b) => tf.minimum(a, b)),
  Max: variadic('Max', (tf, a, b) => tf.maximum(a, b)),
  Sum: variadic('Add', sum),
  Mean: variadic('Add', sum, (call, x) => call.tf.div(x, call.inputs.length)),
  Equal: comparison(
    (tf, a, b) => tf.equal(a, b),
    (a, b) => a === b,
  ),
  Greater: comparison(
    (tf, a, b) => tf.greater(a, b),
    (a, b) => a > b,
  ),
  GreaterOrEqual: comparison(
    (tf, a, b) => tf.greaterEqual(a, b),
    (a, b) => a >= b,
  ),
  Less: comparison(
    (tf, a, b) => tf.less(a, b),
    (a, b) => a < b,
  ),
  LessOrEqual: comparison(
    (tf, a, b) => tf.lessEqual(a, b),
    (a, b) => a <= b,
  ),
  And: logical((tf, a, b) => tf.logicalAnd(a, b)),
  Or: logical((tf, a, b) => tf.logicalOr(a, b)),
  Xor: logical((tf, a, b) => tf.logicalXor(a, b)),
  Where: (call) => {
    const { tensors, made } = aligned(call)
    return made(call.tf.where(tensors[0], tensors[1], tensors[2]))
  },
  Clip: (call) => {
    const { tf } = call
    let x = call.isLast(0) ? call.last(0) : call.in(0)
    if (call.has(1)) x = tf.maximum(x, call.in(1))
    if (call.has(2)) x = tf.minimum(x, call.in(2))
    const result = x.clone()
    return call.isLast(0) ? { last: result } : result
  },
}

function bitwise(operator: (call: Call) => IntegerOperator): Kernel {
  return (call) => combineIntegers(call, operator(call))
}
