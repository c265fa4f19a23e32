// Resizes pictures inside the graph with an antialiased triangle filter (what Pillow calls BILINEAR): two matrix products, one per
// axis, whose weights are constants when the size is fixed and are computed from Shape(x) when it varies. Faster and more exact
// than the engine's Resize operator when shrinking much, and the same on every device.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  abs,
  add,
  cast,
  dimOf,
  div,
  matmul,
  maximum,
  mul,
  range,
  reduceSum,
  relu,
  reshape,
  squeeze,
  sub,
  transpose,
} from '../../graph/functions.ts'

/** x: [m, rows, cols, channels] float32 -> [m, channels, toRows, toCols]. Sizes may be symbolic; channels may not. */
export function resizePictures(g: GraphBuilder, x: Value, toRows: number, toCols: number): Value {
  const [, rows, cols, channels] = x.shape
  if (typeof channels !== 'number') throw new RangeError(`resizePictures: channels must be known, received ${channels}`)
  let y = x
  if (rows !== toRows) {
    y = matmul(g, weightsFor(g, x, 1, toRows), reshape(g, y, [x.shape[0], rows, -1]))
    y = reshape(g, y, [x.shape[0], toRows, -1, channels])
    y = g.refine(y, [x.shape[0], toRows, cols, channels])
  }
  y = channels === 1 ? reshape(g, y, [x.shape[0], 1, y.shape[1], y.shape[2]]) : transpose(g, y, [0, 3, 1, 2])
  if (cols !== toCols) y = matmul(g, y, transpose(g, weightsFor(g, x, 2, toCols), [1, 0]))
  return y
}

/** [to, from] row-major: row i holds the filter's weights around the centre of output pixel i. Rows sum to 1. */
export function triangleWeights(from: number, to: number): Float32Array {
  const scale = from / to
  const support = Math.max(scale, 1)
  const weights = new Float32Array(to * from)
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale - 0.5
    let sum = 0
    for (let j = 0; j < from; j++) sum += weights[i * from + j] = Math.max(0, 1 - Math.abs(j - centre) / support)
    for (let j = 0; j < from; j++) weights[i * from + j] /= sum
  }
  return weights
}

/** [to, size of x along axis] */
function weightsFor(g: GraphBuilder, x: Value, axis: number, to: number): Value {
  const from = x.shape[axis]
  if (typeof from === 'number') return g.constant(triangleWeights(from, to), [to, from])
  const size = dimOf(g, x, axis)
  const scale = div(g, cast(g, size, 'float32'), to)
  const half = Float32Array.from({ length: to }, (_, i) => i + 0.5)
  const centres = sub(g, mul(g, g.constant(half, [to, 1]), scale), 0.5)
  const positions = cast(g, range(g, 0, squeeze(g, size, [0])), 'float32')
  const distance = div(g, abs(g, sub(g, positions, centres)), maximum(g, scale, 1))
  const triangle = relu(g, add(g, mul(g, distance, -1), 1))
  return div(g, triangle, reduceSum(g, triangle, [1], true))
}
