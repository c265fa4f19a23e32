// Local contrast normalisation (Jarrett et al. 2009): each pixel minus the mean of its neighbourhood over all channels, divided by
// the neighbourhood's standard deviation. Done on pixels, before any filter bank, it costs three maps instead of one per filter.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, conv, div, mul, reduceMean, relu, sqrt, sub } from '../../graph/functions.ts'

/** Variance of noise, for pixels in [0, 1]: 10 on the scale of bytes, as Coates & Ng (2011) have it. */
const NOISE = 10 / 255 ** 2

/** x: [m, channels, rows, cols] -> same shape. `side`: odd width of the neighbourhood; beyond the border the edge is repeated. */
export function localContrast(g: GraphBuilder, x: Value, side: number): Value {
  const reach = (side - 1) / 2
  const framed = g.op('Pad', [x, g.ints([0, 0, reach, reach, 0, 0, reach, reach])], { mode: 'edge' })
  const mean = box(g, reduceMean(g, framed, [1], true), side)
  const squares = box(g, reduceMean(g, mul(g, framed, framed), [1], true), side)
  const variance = relu(g, sub(g, squares, mul(g, mean, mean)))
  return div(g, sub(g, x, mean), sqrt(g, add(g, variance, NOISE)))
}

/** Mean over side x side windows, as two one-dimensional convolutions. */
function box(g: GraphBuilder, x: Value, side: number): Value {
  const weights = new Float32Array(side).fill(1 / side)
  const tall = conv(g, x, g.constant(weights, [1, 1, side, 1]))
  return conv(g, tall, g.constant(weights.slice(), [1, 1, 1, side]))
}
