// The convolutional network for pictures and spectrograms: 3x3 convolutions that double their channels while pooling halves the
// sides, a residual pair where the sides are small and convolutions cheap, global average and maximum, a linear head (the ResNet-9
// of DAWNBench, Coleman et al. 2017, thinned). Its width and depth follow from how many multiply-adds there is time for.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, concat, conv, globalAveragePool, globalMaxPool, mul, relu, sub } from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import type { Network } from '../../graph/layers/network.ts'
import { convBlock, halve, head } from './layers.ts'
import type { Whitening } from './whitening.ts'

export interface PictureShape {
  channels: number
  height: number
  width: number
}

export interface PictureNetwork {
  shape: PictureShape
  /** Channels of the first stage; each pooled stage doubles them, up to `maxWidth`. */
  width: number
  maxWidth: number
  /** Side of the first convolution's stride: 2 for large pictures. */
  stride: 1 | 2
  /** Pooled stages after the first convolution. */
  stages: number
  /** Whether a residual pair of convolutions follows the last stage. */
  residual: boolean
  dropout: number
  /** Computed first convolution, then pooling by two; the learned stages start behind it. Null: all is learned. */
  whitening: Whitening | null
  /** The learned stages see the computed layer at full resolution: four times the work, and more in the end. @default false */
  detailed?: boolean
  /** [channels] mean and deviation of the training pictures, in the units of the input. */
  mean: number[]
  deviation: number[]
}

/** Stages so that the last one is about 4 pixels along the short side; a strip, about 16 along the long one. */
export function stagesFor({ height, width }: { height: number; width: number }): { stride: 1 | 2; stages: number } {
  const side = Math.max(1, Math.min(height, width), Math.max(height, width) / 4)
  const stride = Math.max(height, width) >= 56 ? 2 : 1
  return { stride, stages: Math.max(0, Math.min(4, Math.round(Math.log2(side / stride / 4)))) }
}

/** Channels of each stage, the first convolution's output first. */
export function pictureWidths({
  width,
  maxWidth,
  stages,
}: Pick<PictureNetwork, 'width' | 'maxWidth' | 'stages'>): number[] {
  return Array.from({ length: stages + 1 }, (_, i) => Math.min(maxWidth, width * 2 ** i))
}

/** x [n, channels, height, width] -> logits [n, classCount] */
export function pictureForward(network: PictureNetwork, intercepts: Float32Array): (net: Network, x: Value) => Value {
  const features = pictureFeatures(network)
  return (net, x) => head(net, dropout(net, features(net, x), network.dropout), intercepts)
}

/** x [n, channels, height, width] -> what the head sees, [n, 2 * channels of the last stage] */
export function pictureFeatures(network: Omit<PictureNetwork, 'dropout'>): (net: Network, x: Value) => Value {
  const map = pictureMap(network)
  return (net, x) => pooledMap(net, map(net, x))
}

/** Mean and maximum over all places, [n, channels, height, width] -> [n, 2 * channels] */
export function pooledMap({ g }: Network, y: Value): Value {
  return concat(g, [globalAveragePool(g, y), globalMaxPool(g, y)], 1)
}

/** x [n, channels, height, width] -> what the last stage gives at every place that pooling left */
export function pictureMap(network: Omit<PictureNetwork, 'dropout'>): (net: Network, x: Value) => Value {
  return (net, x) => {
    const { g } = net
    const { shape, stages, stride } = network
    const vector = (values: number[]) => g.constant(Float32Array.from(values), [1, shape.channels, 1, 1])
    const widths = pictureWidths(network)
    let y = mul(g, sub(g, x, vector(network.mean)), vector(network.deviation.map((d) => 1 / Math.max(1e-3, d))))
    if (network.whitening) {
      y = whitened(g, x, network.whitening)
      if (!network.detailed) y = halve(net, y)
    }
    y = convBlock(net, y, widths[0], { strides: stride, pool: stages > 0 })
    for (let i = 1; i <= stages; i++) y = convBlock(net, y, widths[i], { pool: i < stages })
    if (network.residual) {
      const inner = convBlock(net, y, widths[stages])
      y = add(g, y, convBlock(net, inner, widths[stages]))
    }
    return y
  }
}

/** The picture's border is 0 before whitening; the filters' means make that a dark frame, which the layers above learn to ignore. */
function whitened(g: GraphBuilder, x: Value, { kernels, biases }: Whitening): Value {
  const shape = [biases.length, x.shape[1] as number, 3, 3]
  return relu(g, conv(g, x, g.constant(kernels, shape), g.constant(biases, [biases.length]), { pads: 1 }))
}

/** Multiply-adds of one example's forward pass. */
export function pictureMacs(network: Omit<PictureNetwork, 'dropout'>): number {
  const { shape, stride, stages } = network
  const widths = pictureWidths(network)
  const { whitening } = network
  const halved = whitening && !network.detailed ? 2 : 1
  let height = Math.ceil(Math.floor(shape.height / halved) / stride)
  let width = Math.ceil(Math.floor(shape.width / halved) / stride)
  let inputs = whitening ? whitening.biases.length : shape.channels
  // Without a backward pass a multiply-add costs a third.
  let total = whitening ? 3 * shape.channels * inputs * shape.height * shape.width : 0
  for (let i = 0; i <= stages; i++) {
    total += 9 * inputs * widths[i] * height * width
    inputs = widths[i]
    if (i < stages) {
      height = Math.max(1, Math.floor(height / 2))
      width = Math.max(1, Math.floor(width / 2))
    }
  }
  return total + (network.residual ? 2 * 9 * inputs * inputs * height * width : 0)
}
