// Gradients of normalisations. With xh = (x - mean) r, r = 1/sqrt(var + eps), and u = dy * scale:
//   dx = r (u - mean(u) - xh mean(u xh)), dscale = sum(dy xh), dbias = sum(dy).
import type { GraphBuilder, Value } from '../builder.ts'
import { add, div, mul, reduceMean, reduceSum, sqrt, sub } from '../functions.ts'
import { asChannels } from './convolution.ts'
import { firstGrad, type GradientTable, input, intAttr, type RuleCall, unbroadcast } from './rule.ts'

export const normalizationGradients: GradientTable = {
  /** Inference form: mean and variance are fixed numbers. */
  BatchNormalization: (call) => {
    const { g } = call
    const [x, scale, , mean, variance] = call.inputs as Value[]
    const rank = x.shape.length
    const channels = (v: Value) => asChannels(g, v, rank)
    const dy = firstGrad(call)
    const r = div(g, 1, sqrt(g, add(g, variance, intAttr(call, 'epsilon', 1e-5))))
    const xh = () => mul(g, sub(g, x, channels(mean)), channels(r))
    const perChannel = (v: Value) => reduceSum(g, v, [0, ...x.shape.slice(2).map((_, i) => i + 2)])
    return [
      call.wants(0) ? mul(g, dy, channels(mul(g, scale, r))) : null,
      call.wants(1) ? perChannel(mul(g, dy, xh())) : null,
      call.wants(2) ? perChannel(dy) : null,
      null,
      null,
    ]
  },
  LayerNormalization: (call) => {
    const { g } = call
    const [x, scale] = [input(call, 0), input(call, 1)]
    const rank = x.shape.length
    const axis = intAttr(call, 'axis', -1)
    const axes = Array.from({ length: rank }, (_, i) => i).slice(axis)
    const dy = firstGrad(call)
    const { xh, r } = normalized(call, axes)
    return [
      call.wants(0) ? normalizedGradient(g, mul(g, dy, scale), xh, r, axes) : null,
      call.wants(1) ? unbroadcast(g, mul(g, dy, xh), scale) : null,
      call.inputs[2] && call.wants(2) ? unbroadcast(g, dy, call.inputs[2]) : null,
    ].slice(0, call.inputs.length)
  },
  InstanceNormalization: (call) => {
    const { g } = call
    const [x, scale] = [input(call, 0), input(call, 1)]
    const axes = x.shape.slice(2).map((_, i) => i + 2)
    const dy = firstGrad(call)
    const { xh, r } = normalized(call, axes)
    const perChannel = (v: Value) => reduceSum(g, v, [0, ...axes])
    return [
      call.wants(0) ? normalizedGradient(g, mul(g, dy, asChannels(g, scale, x.shape.length)), xh, r, axes) : null,
      call.wants(1) ? perChannel(mul(g, dy, xh)) : null,
      call.wants(2) ? perChannel(dy) : null,
    ]
  },
}

/** Normalised input and 1/deviation; taken from the node where it has them. */
function normalized(call: RuleCall, axes: readonly number[]): { xh: Value; r: Value } {
  const { g } = call
  const x = input(call, 0)
  if (call.outputs.length === 3) {
    const [, mean, r] = call.outputs
    return { xh: mul(g, sub(g, x, mean), r), r }
  }
  const centred = sub(g, x, reduceMean(g, x, axes, true))
  const variance = reduceMean(g, mul(g, centred, centred), axes, true)
  const r = div(g, 1, sqrt(g, add(g, variance, intAttr(call, 'epsilon', 1e-5))))
  return { xh: mul(g, centred, r), r }
}

function normalizedGradient(g: GraphBuilder, u: Value, xh: Value, r: Value, axes: readonly number[]): Value {
  const level = reduceMean(g, u, axes, true)
  const slope = reduceMean(g, mul(g, u, xh), axes, true)
  return mul(g, r, sub(g, sub(g, u, level), mul(g, xh, slope)))
}
