// Convolutions and this project's macro operators for their gradients: they stay in one piece here, since TensorFlow has them.
import {
  convolve,
  convolveInputGradient,
  convolveWeightGradient,
  type Geometry,
  weightGradientByPlaces,
} from '../convolve.ts'
import type { Call, KernelTable, Made } from '../kernel.ts'
import type { TfTensor } from '../runtime.ts'

export const convolutionKernels: KernelTable = {
  Conv: (call) => ({ last: convolution(call) }),
  FusedConv: (call) => {
    const { tf } = call
    let y = convolution(call)
    if (call.has(3)) y = tf.add(y, call.last(3))
    return { last: activated(call, y) }
  },
  ConvTranspose: (call) => {
    const { tf } = call
    if (call.ints('output_shape', []).length > 0) call.unsupported('output_shape')
    if (!['NOTSET', 'VALID'].includes(call.text('auto_pad', 'NOTSET'))) call.unsupported('auto_pad')
    const geometry = geometryOf(call, call.shape(0).slice(2), call.shape(1).slice(2))
    const extra = call.ints(
      'output_padding',
      geometry.kernel.map(() => 0),
    )
    const space = call
      .shape(0)
      .slice(2)
      .map((size, i) => {
        const reach = (geometry.kernel[i] - 1) * geometry.dilations[i] + 1
        return geometry.strides[i] * (size - 1) + reach + extra[i] - geometry.pads[i][0] - geometry.pads[i][1]
      })
    const y = convolveInputGradient(tf, call.last(0), call.in(1), geometry, space)
    return { last: call.has(2) ? tf.add(y, call.in(2)) : y }
  },
  'grad.ConvInput': (call) => {
    const space = call.ints('input_space', [])
    const geometry = geometryOf(call, space, call.shape(1).slice(2))
    return { last: convolveInputGradient(call.tf, call.last(0), call.in(1), geometry, space) }
  },
  'grad.ConvWeight': (call): Made => {
    const geometry = geometryOf(call, call.shape(0).slice(2), call.ints('kernel_shape', []))
    const weightGradient = call.runtime.binding === 'native' ? convolveWeightGradient : weightGradientByPlaces
    return weightGradient(call.tf, call.last(0), call.last(1), geometry)
  },
}

function convolution(call: Call): TfTensor {
  const geometry = geometryOf(call, call.shape(0).slice(2), call.shape(1).slice(2))
  const y = convolve(call.tf, call.last(0), call.in(1), geometry)
  return call.has(2) ? call.tf.add(y, call.in(2)) : y
}

/** Attributes of a window that slides over `space`, defaults filled in. */
export function geometryOf(call: Call, space: readonly number[], kernel: readonly number[]): Geometry {
  const ones = kernel.map(() => 1)
  const strides = call.ints('strides', ones)
  const dilations = call.ints('dilations', ones)
  const given = call.ints('pads', [...ones, ...ones].fill(0))
  const auto = call.text('auto_pad', 'NOTSET')
  const pads = space.map((size, i): [number, number] => {
    if (auto === 'VALID') return [0, 0]
    if (auto === 'NOTSET') return [given[i], given[i + space.length]]
    const out = Math.ceil(size / strides[i])
    const total = Math.max(0, (out - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - size)
    const smaller = total >> 1
    return auto === 'SAME_UPPER' ? [smaller, total - smaller] : [total - smaller, smaller]
  })
  return { kernel, strides, dilations, pads, group: call.number('group', 1) }
}

function activated(call: Call, y: TfTensor): TfTensor {
  const { tf } = call
  const [first, second] = call.ints('activation_params', []) as number[]
  switch (call.text('activation', '')) {
    case '':
      return y
    case 'Relu':
      return tf.relu(y)
    case 'Sigmoid':
      return tf.sigmoid(y)
    case 'Tanh':
      return tf.tanh(y)
    case 'LeakyRelu':
      return tf.leakyRelu(y, first ?? 0.01)
    case 'Clip':
      return tf.clipByValue(y, first, second)
    default:
      return call.unsupported(`activation ${call.text('activation', '')}`)
  }
}
