// Operators of this project's own, which stand for several ONNX ones: the heavy gradients, and a scale and shift per channel. They
// keep a graph readable and let each executor choose its fastest form; `lowering/` writes them out before a graph becomes ONNX.
import { type Dim, unifyDims } from '../dims.ts'
import type { OpCall, OpTable } from './spec.ts'

const GEOMETRY = { kernel_shape: 'ints', strides: 'ints', dilations: 'ints', pads: 'ints', group: 'int' } as const

export const macroOps: OpTable = {
  /** dy [n, o, ...], w [o, i/group, ...kernel] -> dx [n, i, ...input_space] of a convolution. */
  'grad.ConvInput': {
    macro: true,
    arity: [2, 2],
    attrs: { ...GEOMETRY, input_space: 'ints' },
    infer: (c) => {
      const channels = (c.in(1).shape[1] as number) * c.int('group', 1)
      return [{ type: c.sameType(0, 1), shape: [c.in(0).shape[0], channels, ...c.ints('input_space', [])] }]
    },
  },
  /** x [n, i, ...], dy [n, o, ...] -> dw [o, i/group, ...kernel] of a convolution. */
  'grad.ConvWeight': {
    macro: true,
    arity: [2, 2],
    attrs: GEOMETRY,
    infer: (c) => {
      const perGroup = (c.in(0).shape[1] as number) / c.int('group', 1)
      return [{ type: c.sameType(0, 1), shape: [c.in(1).shape[1], perGroup, ...c.ints('kernel_shape', [])] }]
    },
  },
  /** x, y = maxpool(x), dy -> dx, for windows that tile x; tied maxima share. */
  'grad.MaxPoolTiles': {
    macro: true,
    arity: [3, 3],
    attrs: { kernel_shape: 'ints' },
    infer: (c) => [{ type: c.in(0).type, shape: c.in(0).shape }],
  },
  /** x, y = the maximum of each plane of x, dy -> dx; tied maxima share. */
  'grad.GlobalMaxPool': {
    macro: true,
    arity: [3, 3],
    infer: (c) => [{ type: c.in(0).type, shape: c.in(0).shape }],
  },
  /** x [n, c, ...] a [c] + b [c] (+ z like x). */
  'channel.Affine': {
    macro: true,
    arity: [3, 4],
    infer: (c) => {
      const { type, shape } = c.in(0)
      checkVectors(c, shape[1])
      return [{ type, shape }]
    },
  },
}

function checkVectors(c: OpCall, channels: Dim): void {
  for (const i of [1, 2]) {
    const { shape } = c.in(i)
    if (shape.length !== 1 || unifyDims(shape[0], channels) === undefined) c.fail(`input ${i} must be [${channels}]`)
  }
}
