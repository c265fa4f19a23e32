// Operators of one tensor, element by element, and casts.
import type { DataType } from '../../../graph/graph.ts'
import { type Cell, hostCell, isInteger, tfType } from '../cell.ts'
import { mapIntegers, wrapInteger } from '../integers.ts'
import { type Call, elementwise, type Kernel, type KernelTable, type Made } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'

type Float = (tf: Tf, x: TfTensor, call: Call) => TfTensor

const float =
  (f: Float): Kernel =>
  (call) =>
    elementwise(call, (x) => f(call.tf, x, call))

/** Integers on the host stay there. */
const signed =
  (f: Float, integer: (value: number) => number): Kernel =>
  (call) =>
    isInteger(call.cell(0).type) && (call.onHost(0) || call.cell(0).type !== 'int32')
      ? mapIntegers(call, integer)
      : elementwise(call, (x) => f(call.tf, x, call))

export const unaryKernels: KernelTable = {
  Identity: (call) => {
    const cell = call.cell(0)
    if (cell.host !== undefined) return hostCell(cell.type, cell.shape, cell.host)
    return elementwise(call, (x) => x.clone())
  },
  Neg: signed(
    (tf, x) => tf.neg(x),
    (value) => -value,
  ),
  Abs: signed((tf, x) => tf.abs(x), Math.abs),
  Sign: signed((tf, x) => tf.sign(x), Math.sign),
  Relu: signed(
    (tf, x) => tf.relu(x),
    (value) => Math.max(0, value),
  ),
  BitwiseNot: (call) => mapIntegers(call, (value) => ~value),
  Sqrt: float((tf, x) => tf.sqrt(x)),
  Reciprocal: float((tf, x) => tf.reciprocal(x)),
  Exp: float((tf, x) => tf.exp(x)),
  Log: float((tf, x) => tf.log(x)),
  Sin: float((tf, x) => tf.sin(x)),
  Cos: float((tf, x) => tf.cos(x)),
  Round: float((tf, x) => tf.round(x)),
  Floor: float((tf, x) => tf.floor(x)),
  Ceil: float((tf, x) => tf.ceil(x)),
  LeakyRelu: float((tf, x, call) => tf.leakyRelu(x, call.number('alpha', 0.01))),
  Elu: float((tf, x, call) => {
    const alpha = call.number('alpha', 1)
    return alpha === 1 ? tf.elu(x) : tf.where(tf.greater(x, 0), x, tf.mul(tf.elu(x), alpha))
  }),
  HardSigmoid: float((tf, x, call) =>
    tf.clipByValue(tf.add(tf.mul(x, call.number('alpha', 0.2)), call.number('beta', 0.5)), 0, 1),
  ),
  HardSwish: float((tf, x) => tf.mul(x, tf.clipByValue(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1))),
  Sigmoid: float((tf, x) => tf.sigmoid(x)),
  Softplus: float((tf, x) => tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))))),
  Tanh: float((tf, x) => tf.tanh(x)),
  Erf: float((tf, x) => tf.erf(x)),
  Gelu: float((tf, x, call) => {
    const curve =
      call.text('approximate', 'none') === 'tanh'
        ? tf.tanh(tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI)))
        : tf.erf(tf.mul(x, Math.SQRT1_2))
    return tf.mul(tf.mul(x, 0.5), tf.add(curve, 1))
  }),
  QuickGelu: float((tf, x, call) => tf.mul(x, tf.sigmoid(tf.mul(x, call.number('alpha', 1.702))))),
  IsNaN: float((tf, x) => tf.isNaN(x)),
  IsInf: float((tf, x, call) => {
    const [negative, positive] = [call.flag('detect_negative', true), call.flag('detect_positive', true)]
    const infinite = tf.isInf(x)
    if (negative && positive) return infinite
    if (!negative && !positive) return tf.logicalAnd(infinite, tf.logicalNot(infinite))
    return tf.logicalAnd(infinite, positive ? tf.greater(x, 0) : tf.less(x, 0))
  }),
  Not: float((tf, x) => tf.logicalNot(x)),
  Cast: (call) => cast(call, call.cell(0), call.types[0]),
}

function cast(call: Call, cell: Cell, to: DataType): Made {
  const { tf } = call
  const { type, shape } = cell
  if (isInteger(to) && isInteger(type) && (cell.host !== undefined || narrows(type, to))) {
    return hostCell(
      to,
      shape,
      call.host(0).map((value) => wrapInteger(to, value)),
    )
  }
  // Integers that 32 bits do not hold go straight from the host.
  if (isInteger(type) && cell.host !== undefined && !isInteger(to)) {
    const floats = tf.tensor(Float32Array.from(cell.host), [...shape], 'float32')
    return to === 'bool' ? tf.notEqual(floats, 0) : floats
  }
  if (to === 'bool') return elementwise(call, (x) => tf.notEqual(x, tf.scalar(0, x.dtype as 'float32')))
  if (isInteger(to) && !isInteger(type) && narrows('int32', to)) {
    const whole = Float64Array.from(tf.cast(call.in(0), 'int32').dataSync(), (value) => wrapInteger(to, value))
    return hostCell(to, shape, whole)
  }
  return elementwise(call, (x) => tf.cast(x, tfType(to)))
}

/** Whether values of a type may not fit the other. */
function narrows(from: DataType, to: DataType): boolean {
  if (from === to || to === 'int64' || to === 'int32') return false
  return !(to === 'uint64' || to === 'uint32') || from.startsWith('int')
}
