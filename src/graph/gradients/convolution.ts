// Gradients of convolutions, as macro operators: lowering/ writes them out in the executor's fastest form.
import type { GraphBuilder, Value } from '../builder.ts'
import { isStatic } from '../dims.ts'
import { mul, reduceSum, reshape } from '../functions.ts'
import { firstGrad, type GradientTable, input, intAttr, intsAttr, type RuleCall, unsupported } from './rule.ts'

export interface ConvGeometry {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  /** All begins, then all ends. */
  pads: readonly number[]
  group: number
}

export const convolutionGradients: GradientTable = {
  Conv: (call) => {
    const { g } = call
    const [x, w] = [input(call, 0), input(call, 1)]
    const geometry = geometryOf(call, w)
    const dy = firstGrad(call)
    return [
      call.wants(0)
        ? g.op('grad.ConvInput', [dy, w], { ...attrsOf(geometry), input_space: x.shape.slice(2) as number[] })
        : null,
      call.wants(1) ? g.op('grad.ConvWeight', [x, dy], attrsOf(geometry)) : null,
      call.inputs[2] && call.wants(2) ? channelSum(g, dy) : null,
    ].slice(0, call.inputs.length)
  },
  ConvTranspose: (call) => {
    const { g } = call
    const [x, w] = [input(call, 0), input(call, 1)]
    const attrs = attrsOf(geometryOf(call, w))
    const dy = firstGrad(call)
    return [
      call.wants(0) ? g.op('Conv', [dy, w], attrs) : null,
      call.wants(1) ? g.op('grad.ConvWeight', [dy, x], attrs) : null,
      call.inputs[2] && call.wants(2) ? channelSum(g, dy) : null,
    ].slice(0, call.inputs.length)
  },
}

function attrsOf({ kernel, ...rest }: ConvGeometry) {
  return { kernel_shape: kernel, ...rest }
}

function geometryOf(call: RuleCall, w: Value): ConvGeometry {
  const kernel = w.shape.slice(2)
  const space = call.inputs[0]!.shape.slice(2)
  if (!isStatic(kernel) || !isStatic(space)) return unsupported(call, 'spatial sizes must be static')
  if (!['NOTSET', undefined].includes(call.node.attrs.auto_pad as string)) unsupported(call, 'pads must be explicit')
  const ones = kernel.map(() => 1)
  return {
    kernel,
    strides: intsAttr(call, 'strides', ones),
    dilations: intsAttr(call, 'dilations', ones),
    pads: intsAttr(call, 'pads', [...ones, ...ones].fill(0)),
    group: intAttr(call, 'group', 1),
  }
}

/** [n, c, ...] -> [c] */
export function channelSum(g: GraphBuilder, x: Value): Value {
  return reduceSum(
    g,
    x,
    [...x.shape.keys()].filter((axis) => axis !== 1),
  )
}

/** x [n, c, ...] times a vector [c]. */
export function scaleChannels(g: GraphBuilder, x: Value, scale: Value): Value {
  return mul(g, x, asChannels(g, scale, x.shape.length))
}

/** [c] -> [1, c, 1, ...] */
export function asChannels(g: GraphBuilder, vector: Value, rank: number): Value {
  return reshape(g, vector, [1, vector.shape[0], ...new Array<number>(rank - 2).fill(1)])
}
