// The weight gradient of a convolution as blocked convolutions, one per column j of the kernel:
//   dw[f, c, i, j] = sum over n, h, w of dy[n, f, h, w] x[n, c, h s + i d - p, w s + j d - p].
// Pairs (w, n) become the input channels (n in blocks), h and c the two spatial axes, dy the kernel of size [h, 1]. The output row is i,
// the output column c: long rows without padding, so that the convolution runs at full speed, and x and dy are each copied about once.
import type { GraphBuilder, Value } from '../builder.ts'
import { concat, gather, reshape, slice, transpose } from '../functions.ts'
import type { ConvGeometry } from '../gradients/convolution.ts'
import { kernelOrder } from './orders.ts'

/** x [n, c, h, w] and dy [n, f, ho, wo] in blocked layout, static shapes, n a multiple of the block -> dw [f, c, kh, kw] */
export function blockedWeightGradient(
  g: GraphBuilder,
  x: Value,
  dy: Value,
  geometry: ConvGeometry,
  block: number,
): Value {
  const [n, channels, height, width] = x.shape as number[]
  const [, filters, outHeight, outWidth] = dy.shape as number[]
  const { kernel, strides, dilations, pads } = geometry
  // A kernel that is wide and not high is cheaper turned: its columns are shifted by the convolution, its rows one by one.
  if (height === 1 && kernel[0] === 1) {
    const turn = (v: Value, size: number) => reshape(g, v, [n, v.shape[1], size, 1])
    const turned = {
      kernel: [kernel[1], 1],
      strides: [strides[1], 1],
      dilations: [dilations[1], 1],
      pads: [pads[1], 0, pads[3], 0],
      group: 1,
    }
    const dw = blockedWeightGradient(g, turn(x, width), turn(dy, outWidth), turned, block)
    return reshape(g, dw, [filters, channels, 1, kernel[1]])
  }
  const groups = n / block
  // [n, h, w, c] -> [n/B, h, w, c, B]
  const nhwc = g.op('nchwc.ReorderOutput', [x], { channels, channels_last: 1 })
  const examplesLast = g.op('nchwc.ReorderInput', [reshape(g, nhwc, [1, n, height * width, channels])])
  const columns = transpose(g, reshape(g, examplesLast, [groups, height, width, channels * block]), [2, 0, 1, 3])
  // [n, f/B, h, w, B] -> [f/B, w, n/B, h, Bn, Bf]
  const rows = reshape(g, dy, [n * (filters / block) * outHeight * outWidth, block])
  const order = kernelOrder(g, n, filters / block, outHeight, outWidth, block)
  const kernels = reshape(g, gather(g, rows, order), [filters / block, outWidth, groups * outHeight * block * block])

  const byColumn = Array.from({ length: kernel[1] }, (_, j) => {
    const pairs: [number, number][] = []
    for (let w = 0; w < outWidth; w++) {
      const from = w * strides[1] + j * dilations[1] - pads[1]
      if (from >= 0 && from < width) pairs.push([w, from])
    }
    if (pairs.length === 0) return null
    const taken = pick(
      g,
      columns,
      0,
      pairs.map(([, from]) => from),
    )
    const kept = pick(
      g,
      kernels,
      1,
      pairs.map(([w]) => w),
    )
    const depth = pairs.length * n
    const attrs = {
      kernel_shape: [outHeight, 1],
      strides: [dilations[0], 1],
      dilations: [strides[0], 1],
      pads: [pads[0], 0, pads[2], 0],
    }
    const image = reshape(g, taken, [1, depth, height, channels])
    const y = g.op('nchwc.Conv', [image, reshape(g, kept, [filters, depth, outHeight, 1])], attrs)
    // [f, rows, c], of which the first rows are the kernel's.
    const plain = reshape(g, g.op('nchwc.ReorderOutput', [y], { channels: filters }), [filters, y.shape[2], channels])
    return slice(g, plain, 1, 0, kernel[0])
  })
  const some = byColumn.find((part) => part !== null)!
  const zero = () => g.op('Mul', [some, g.scalar(0)])
  const joined = concat(
    g,
    byColumn.map((part) => part ?? zero()),
    1,
  )
  // [f, (j, i), c] -> [f, (i, j), c] -> [f, c, (i, j)]; reordering twice is threaded, transposing is not.
  const taps = Array.from(
    { length: kernel[0] * kernel[1] },
    (_, k) => (k % kernel[1]) * kernel[0] + Math.floor(k / kernel[1]),
  )
  const channelsLast = reshape(g, pick(g, joined, 1, taps), [filters, 1, taps.length, channels])
  const back = g.op('nchwc.ReorderInput', [channelsLast], { channels_last: 1 })
  return reshape(g, g.op('nchwc.ReorderOutput', [back], { channels }), [filters, channels, ...kernel])
}

/** Elements `indexes` of an axis: nothing, a slice, or a gather. */
function pick(g: GraphBuilder, x: Value, axis: number, indexes: readonly number[]): Value {
  const first = indexes[0]
  const dense = indexes.every((index, i) => index === first + i)
  if (dense && indexes.length === x.shape[axis]) return x
  return dense ? slice(g, x, axis, first, first + indexes.length) : gather(g, x, g.ints(indexes), axis)
}
