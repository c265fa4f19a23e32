// Normalisations, and this project's scale and shift per channel.
import { type Call, type KernelTable, type Made, wrapAxis } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'

export const normalizationKernels: KernelTable = {
  'channel.Affine': (call) => {
    const { tf } = call
    const { x, vector, made } = channelwise(call)
    const y = tf.add(tf.mul(x, vector(call.in(1))), vector(call.in(2)))
    if (!call.has(3)) return made(y)
    return made(tf.add(y, y.rank > 2 && call.isLast(0) ? call.last(3) : call.in(3)))
  },
  BatchNormalization: (call) => {
    const { tf } = call
    const { x, vector, made, axes } = channelwise(call)
    const [scale, bias] = [call.in(1), call.in(2)]
    const training = call.flag('training_mode')
    const mean = training ? tf.mean(x, axes) : call.in(3)
    const variance = training ? tf.mean(tf.square(tf.sub(x, vector(mean))), axes) : call.in(4)
    const a = tf.mul(scale, tf.rsqrt(tf.add(variance, call.number('epsilon', 1e-5))))
    const y = made(tf.add(tf.mul(x, vector(a)), vector(tf.sub(bias, tf.mul(a, mean)))))
    if (call.types.length === 1) return y
    const momentum = call.number('momentum', 0.9)
    const running = (old: TfTensor, seen: TfTensor) => tf.add(tf.mul(old, momentum), tf.mul(seen, 1 - momentum))
    return [y, running(call.in(3), mean), running(call.in(4), variance)]
  },
  InstanceNormalization: (call) => {
    const { tf } = call
    const rank = call.shape(0).length
    const { x, vector, made, isLast } = channelwise(call)
    const space = Array.from({ length: rank - 2 }, (_, i) => i + (isLast ? 1 : 2))
    const { y } = standardised(tf, x, space, call.number('epsilon', 1e-5))
    return made(tf.add(tf.mul(y, vector(call.in(1))), vector(call.in(2))))
  },
  LayerNormalization: (call) => {
    const { tf } = call
    const x = call.in(0)
    const from = wrapAxis(call.number('axis', -1), x.rank)
    const axes = Array.from({ length: x.rank - from }, (_, i) => from + i)
    const { y, mean, inverse } = standardised(tf, x, axes, call.number('epsilon', 1e-5))
    const scaled = tf.mul(y, call.in(1))
    const out = call.has(2) ? tf.add(scaled, call.in(2)) : scaled
    return [out, mean, inverse].slice(0, call.types.length)
  },
}

function standardised(tf: Tf, x: TfTensor, axes: number[], epsilon: number) {
  const mean: TfTensor = tf.mean(x, axes, true)
  const centred = tf.sub(x, mean)
  const inverse: TfTensor = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon))
  return { y: tf.mul(centred, inverse) as TfTensor, mean, inverse }
}

/** Input 0 in the order it is held in, and how vectors [c] broadcast to it. `axes`: all but the channels. */
function channelwise(call: Call) {
  const { tf } = call
  const rank = call.shape(0).length
  const isLast = call.isLast(0)
  const axes = Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== (isLast ? rank - 1 : 1))
  const spread = [1, -1, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]
  const vector = (v: TfTensor): TfTensor => (isLast || rank < 2 ? v : tf.reshape(v, spread))
  const made = (y: TfTensor): Made => (isLast ? { last: y } : y)
  return { x: isLast ? call.last(0) : call.in(0), vector, made, axes, isLast }
}
