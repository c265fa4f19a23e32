// Convolutions, pooling and the normalisations that belong to networks. Layout [n, channels, ...space], weights
// [out, in/group, ...kernel] as in ONNX. Also onnxruntime's blocked ("nchwc") versions, which hold channels in blocks of 8 or 16;
// their values carry the plain logical shape, [n, channels rounded up to a block, h, w].
import { addDims, ceilDivDims, type Dim, floorDivDims, mulDims, subDims, unifyDims } from '../dims.ts'
import type { Inferred, OpCall, OpSpec, OpTable } from './spec.ts'

const WINDOW = { auto_pad: 'string', dilations: 'ints', kernel_shape: 'ints', pads: 'ints', strides: 'ints' } as const

export const convolutionOps: OpTable = {
  Conv: { arity: [2, 3], attrs: { ...WINDOW, group: 'int' }, infer: inferConv },
  FusedConv: {
    domain: 'com.microsoft',
    arity: [2, 4],
    attrs: { ...WINDOW, group: 'int', activation: 'string', activation_params: 'floats' },
    infer: inferConv,
  },
  ConvTranspose: {
    arity: [2, 3],
    attrs: { ...WINDOW, group: 'int', output_padding: 'ints', output_shape: 'ints' },
    infer: inferConvTranspose,
  },
  MaxPool: {
    arity: [1, 1],
    attrs: { ...WINDOW, ceil_mode: 'int', storage_order: 'int' },
    outputs: 2,
    infer: (c) => {
      const shape = pooled(c)
      const out: Inferred[] = [{ type: c.in(0).type, shape }]
      if (c.outputCount > 1) out.push({ type: 'int64', shape })
      return out
    },
  },
  AveragePool: {
    arity: [1, 1],
    attrs: { ...WINDOW, ceil_mode: 'int', count_include_pad: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: pooled(c) }],
  },
  LpPool: {
    arity: [1, 1],
    attrs: { ...WINDOW, ceil_mode: 'int', p: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: pooled(c) }],
  },
  GlobalAveragePool: globalPool(),
  GlobalMaxPool: globalPool(),
  BatchNormalization: {
    arity: [5, 5],
    attrs: { epsilon: 'float', momentum: 'float', training_mode: 'int' },
    outputs: 3,
    infer: (c) => {
      const { type, shape } = c.in(0)
      for (const i of [1, 2, 3, 4]) checkChannels(c, i, shape[1])
      const stat = { type, shape: [shape[1]] }
      return c.outputCount === 1 ? [{ type, shape }] : [{ type, shape }, stat, stat]
    },
  },
  InstanceNormalization: {
    arity: [3, 3],
    attrs: { epsilon: 'float' },
    infer: (c) => {
      const { type, shape } = c.in(0)
      for (const i of [1, 2]) checkChannels(c, i, shape[1])
      return [{ type, shape }]
    },
  },
  LayerNormalization: {
    arity: [2, 3],
    attrs: { axis: 'int', epsilon: 'float', stash_type: 'int' },
    outputs: 3,
    infer: (c) => {
      const { type, shape } = c.in(0)
      const axis = c.axis(shape.length, -1)
      const stat = { type, shape: shape.map((dim, i) => (i >= axis ? 1 : dim)) }
      return [{ type, shape }, stat, stat].slice(0, c.outputCount)
    },
  },
  'nchwc.ReorderInput': {
    domain: 'com.microsoft.nchwc',
    arity: [1, 1],
    attrs: { channels_last: 'int' },
    infer: (c) => {
      const [n, a, b, d] = c.rankAtLeast(0, 4)
      const shape = c.int('channels_last', 0) === 1 ? [n, d, a, b] : [n, a, b, d]
      return [{ type: c.typeIn(0, 'float32'), shape }]
    },
  },
  'nchwc.ReorderOutput': {
    domain: 'com.microsoft.nchwc',
    arity: [1, 1],
    attrs: { channels: 'int', channels_last: 'int' },
    infer: (c) => {
      const [n, , h, w] = c.rankAtLeast(0, 4)
      const channels = c.int('channels', 0)
      const shape = c.int('channels_last', 0) === 1 ? [n, h, w, channels] : [n, channels, h, w]
      return [{ type: c.typeIn(0, 'float32'), shape }]
    },
  },
  'nchwc.Conv': {
    domain: 'com.microsoft.nchwc',
    arity: [2, 4],
    attrs: { ...WINDOW, group: 'int', activation: 'string', activation_params: 'floats' },
    infer: inferConv,
  },
  'nchwc.MaxPool': {
    domain: 'com.microsoft.nchwc',
    arity: [1, 1],
    attrs: { ...WINDOW, ceil_mode: 'int', storage_order: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: pooled(c) }],
  },
  'nchwc.AveragePool': {
    domain: 'com.microsoft.nchwc',
    arity: [1, 1],
    attrs: { ...WINDOW, ceil_mode: 'int', count_include_pad: 'int' },
    infer: (c) => [{ type: c.in(0).type, shape: pooled(c) }],
  },
  'nchwc.Upsample': {
    domain: 'com.microsoft.nchwc',
    arity: [1, 1],
    attrs: { scales: 'ints', mode: 'string', coordinate_transformation_mode: 'string' },
    infer: (c) => {
      const scales = c.ints('scales', [1, 1, 1, 1])
      return [{ type: c.in(0).type, shape: c.rankAtLeast(0, 4).map((dim, i) => mulDims(dim, scales[i])) }]
    },
  },
  'nchwc.GlobalAveragePool': { ...globalPool(), domain: 'com.microsoft.nchwc' },
  'nchwc.GlobalMaxPool': { ...globalPool(), domain: 'com.microsoft.nchwc' },
}

function globalPool(): OpSpec {
  return {
    arity: [1, 1],
    infer: (c) => {
      const shape = c.rankAtLeast(0, 3)
      return [{ type: c.in(0).type, shape: shape.map((dim, i) => (i < 2 ? dim : 1)) }]
    },
  }
}

function checkChannels(c: OpCall, i: number, channels: Dim): void {
  const { shape } = c.in(i)
  if (shape.length !== 1 || unifyDims(shape[0], channels) === undefined) c.fail(`input ${i} must be [${channels}]`)
}

/** Window geometry over the spatial axes, defaults filled in. `pads`: all begins, then all ends. */
export interface Window {
  kernel: readonly number[]
  strides: readonly number[]
  dilations: readonly number[]
  pads: readonly number[]
}

function windowOf(c: OpCall, rank: number, kernelFromWeights?: readonly Dim[]): Window {
  const kernel = c.ints(
    'kernel_shape',
    (kernelFromWeights ?? []).filter((dim) => typeof dim === 'number'),
  )
  if (kernel.length !== rank) c.fail(`kernel_shape has ${kernel.length} entries for ${rank} spatial axes`)
  const ones = kernel.map(() => 1)
  const window = {
    kernel,
    strides: c.ints('strides', ones),
    dilations: c.ints('dilations', ones),
    pads: c.ints('pads', [...ones, ...ones].fill(0)),
  }
  if (window.strides.length !== rank || window.dilations.length !== rank || window.pads.length !== 2 * rank) {
    c.fail(`strides, dilations or pads do not fit ${rank} spatial axes`)
  }
  return window
}

/** Output size of a window sliding over `dim`. */
export function slidDim(dim: Dim, window: Window, axis: number, mode: 'floor' | 'ceil' = 'floor'): Dim {
  const rank = window.kernel.length
  const reach = (window.kernel[axis] - 1) * window.dilations[axis]
  const room = addDims(dim, window.pads[axis] + window.pads[axis + rank] - reach - 1)
  const stride = window.strides[axis]
  return addDims(mode === 'floor' ? floorDivDims(room, stride) : ceilDivDims(room, stride), 1)
}

function slideAll(c: OpCall, space: readonly Dim[], window: Window): Dim[] {
  const auto = c.text('auto_pad', 'NOTSET')
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') return space.map((dim, i) => ceilDivDims(dim, window.strides[i]))
  const mode = c.int('ceil_mode', 0) === 1 ? 'ceil' : 'floor'
  return space.map((dim, i) => {
    const size = slidDim(dim, window, i, mode)
    return typeof size === 'number' && size < 1
      ? c.fail(`window [${window.kernel}] is larger than axis ${i + 2}`)
      : size
  })
}

function inferConv(c: OpCall): Inferred[] {
  const x = c.rankAtLeast(0, 3)
  const w = c.in(1).shape
  if (w.length !== x.length) c.fail('weights must have the rank of the input')
  const group = c.int('group', 1)
  if (unifyDims(x[1], mulDims(w[1], group)) === undefined) {
    c.fail(`input has ${x[1]} channels, weights ask for ${mulDims(w[1], group)}`)
  }
  if (c.optional(2)) checkChannels(c, 2, w[0])
  const space = slideAll(c, x.slice(2), windowOf(c, x.length - 2, w.slice(2)))
  return [{ type: c.sameType(0, 1), shape: [x[0], w[0], ...space] }]
}

function inferConvTranspose(c: OpCall): Inferred[] {
  const x = c.rankAtLeast(0, 3)
  const w = c.in(1).shape
  if (w.length !== x.length) c.fail('weights must have the rank of the input')
  if (unifyDims(x[1], w[0]) === undefined) c.fail(`input has ${x[1]} channels, weights ask for ${w[0]}`)
  const rank = x.length - 2
  const window = windowOf(c, rank, w.slice(2))
  const extra = c.ints(
    'output_padding',
    window.kernel.map(() => 0),
  )
  const space = x.slice(2).map((dim, i) => {
    const reach = (window.kernel[i] - 1) * window.dilations[i] + 1
    const grown = mulDims(window.strides[i], subDims(dim, 1))
    return addDims(grown, reach + extra[i] - window.pads[i] - window.pads[i + rank])
  })
  return [{ type: c.sameType(0, 1), shape: [x[0], mulDims(w[1], c.int('group', 1)), ...space] }]
}

function pooled(c: OpCall): Dim[] {
  const x = c.rankAtLeast(0, 3)
  return [x[0], x[1], ...slideAll(c, x.slice(2), windowOf(c, x.length - 2))]
}
