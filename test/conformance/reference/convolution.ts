// Convolutions by their definition, and their gradients by transposing it:
//   y[n, o, p] = sum over c, k of w[o, c, k] x[n, c, p s + k d - pad].
import {
  broadcastAt,
  generate,
  input,
  intAttr,
  intsAttr,
  type RefCall,
  type RefOp,
  type RefTable,
  type RefTensor,
  sizeOf,
  tensor,
  textAttr,
} from './tensor.ts'
import { type RefWindow, windowOf, windowVisits } from './window.ts'

/** Calls `visit(x offset, w offset, y offset)` for each product in the sum above. x [n, c, ...], w [o, c/group, ...], y [n, o, ...]. */
function visitProducts(
  n: number,
  channels: number,
  filters: number,
  group: number,
  w: RefWindow,
  visit: (x: number, w: number, y: number) => void,
): void {
  const visits = windowVisits(w)
  const [spaceSize, outSize, kernelSize] = [sizeOf(w.space), sizeOf(w.out), sizeOf(w.kernel)]
  const [perGroup, filtersPerGroup] = [channels / group, filters / group]
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < filters; o++) {
      const first = Math.floor(o / filtersPerGroup) * perGroup
      for (let c = 0; c < perGroup; c++) {
        const x = (i * channels + first + c) * spaceSize
        const y = (i * filters + o) * outSize
        const weight = (o * perGroup + c) * kernelSize
        for (let v = 0; v < visits.length; v += 3) visit(x + visits[v + 2], weight + visits[v + 1], y + visits[v])
      }
    }
  }
}

function addBias(y: RefTensor, bias: RefTensor | null | undefined): RefTensor {
  return bias ? generate(y.type, y.shape, (index, flat) => y.data[flat] + bias.data[index[1]]) : y
}

function convolve(call: RefCall): RefTensor {
  const [x, w] = [input(call, 0), input(call, 1)]
  const window = windowOf(call, x.shape.slice(2), w.shape.slice(2))
  const shape = [x.shape[0], w.shape[0], ...window.out]
  const out = new Float64Array(sizeOf(shape))
  visitProducts(x.shape[0], x.shape[1], w.shape[0], intAttr(call, 'group', 1), window, (xAt, wAt, yAt) => {
    out[yAt] += x.data[xAt] * w.data[wAt]
  })
  return addBias(tensor(x.type, shape, out), call.inputs[2])
}

/** dy [n, o, ...], w -> dx [n, i, ...space] of the convolution that takes dx's shape to dy's. */
function inputGradient(call: RefCall, dy: RefTensor, w: RefTensor, space: readonly number[]): RefTensor {
  const group = intAttr(call, 'group', 1)
  const window = { ...windowOf(call, space, w.shape.slice(2)), out: dy.shape.slice(2) }
  const channels = w.shape[1] * group
  const shape = [dy.shape[0], channels, ...space]
  const out = new Float64Array(sizeOf(shape))
  visitProducts(dy.shape[0], channels, dy.shape[1], group, window, (xAt, wAt, yAt) => {
    out[xAt] += dy.data[yAt] * w.data[wAt]
  })
  return tensor(dy.type, shape, out)
}

/** The output space is what a convolution of the same geometry would have read, and `output_padding` more. */
const convTranspose: RefOp = (call) => {
  const [x, w] = [input(call, 0), input(call, 1)]
  const { kernel, strides, dilations, pads } = windowOf(call, x.shape.slice(2), w.shape.slice(2))
  const extra = intsAttr(
    call,
    'output_padding',
    kernel.map(() => 0),
  )
  const space = kernel.map(
    (k, i) =>
      strides[i] * (x.shape[i + 2] - 1) + (k - 1) * dilations[i] + 1 + extra[i] - pads[i] - pads[i + kernel.length],
  )
  return addBias(inputGradient(call, x, w, space), call.inputs[2])
}

const ACTIVATIONS: Record<string, (x: number, params: readonly number[]) => number> = {
  '': (x) => x,
  Relu: (x) => Math.max(0, x),
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  LeakyRelu: (x, [alpha]) => (x < 0 ? alpha * x : x),
  Clip: (x, [low, high]) => Math.min(high, Math.max(low, x)),
}

export const convolutionReference: RefTable = {
  Conv: convolve,
  /** Convolution, plus z, then an activation. */
  FusedConv: (call) => {
    const y = convolve(call)
    const z = call.inputs[3]
    const activation = ACTIVATIONS[textAttr(call, 'activation', '')]
    const params = intsAttr(call, 'activation_params', [])
    return { ...y, data: y.data.map((v, i) => activation(v + (z?.data[i] ?? 0), params)) }
  },
  ConvTranspose: convTranspose,
  'grad.ConvInput': (call) => inputGradient(call, input(call, 0), input(call, 1), intsAttr(call, 'input_space', [])),
  'grad.ConvWeight': (call) => {
    const [x, dy] = [input(call, 0), input(call, 1)]
    const group = intAttr(call, 'group', 1)
    const window = { ...windowOf(call, x.shape.slice(2)), out: dy.shape.slice(2) }
    const shape = [dy.shape[1], x.shape[1] / group, ...window.kernel]
    const out = new Float64Array(sizeOf(shape))
    visitProducts(x.shape[0], x.shape[1], dy.shape[1], group, window, (xAt, wAt, yAt) => {
      out[wAt] += dy.data[yAt] * x.data[xAt]
    })
    return tensor(x.type, shape, out)
  },
  'channel.Affine': (call) => {
    const [x, a, b] = [input(call, 0), input(call, 1), input(call, 2)]
    const z = call.inputs[3]
    return generate(x.type, x.shape, (index, flat) => {
      const c = index[1]
      return x.data[flat] * a.data[c] + b.data[c] + (z ? broadcastAt(z, index) : 0)
    })
  },
}
