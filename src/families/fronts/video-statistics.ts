// A video as one vector: where it is bright and where it moves (mean frame, spread over frames, mean absolute step between neighbouring
// frames, all shrunk) and what shapes occur (oriented gradients averaged over frames and over the motion picture). Where frames are
// pairs apart from each other, only steps within a pair count: those between pairs would tell where things are, as the spread does.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { abs, add, concat, mul, reduceMax, reduceMean, reshape, slice, sqrt, sub } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import type { FramesFront } from './frames.ts'
import { cellGrid, orientedGradients } from './oriented-gradients.ts'
import { resizePictures } from './resize-pictures.ts'

export interface VideoStatisticsOptions {
  /** Cells of the shrunk pictures along the long side. @default 16 */
  across?: number
  /** Gradient cells along the long side; 0 leaves gradients out. @default 6 */
  gradients?: number
}

/** `base`: shape [frames, channels, rows, cols]. */
export function videoStatisticsFront(base: FramesFront, options: VideoStatisticsOptions = {}): FrontEnd {
  const { across = 16, gradients = 6 } = options
  const [frames, channels, rows, cols] = base.shape
  const shrink = Math.min(1, across / Math.max(rows, cols))
  const small = { rows: Math.max(1, Math.round(rows * shrink)), cols: Math.max(1, Math.round(cols * shrink)) }
  const grid = cellGrid(rows, cols, Math.max(1, gradients))
  const gradientSize = gradients > 0 ? 24 * grid.rows * grid.cols : 0
  const pixels = small.rows * small.cols
  return {
    key: `${base.key}|video-statistics:${across}:${gradients}${base.pairsApart ? ':within pairs' : ''}`,
    base,
    shape: [(channels + 2) * pixels + 3 * gradientSize + 3],
    store: 'float32',
    build(g, x) {
      const clip = x!
      const grey = reduceMean(g, clip, [2], true)
      const mean = reduceMean(g, clip, [1])
      const greyMean = reduceMean(g, grey, [1], true)
      const spread = deviation(g, grey, greyMean)
      const steps = stepsBetween(g, grey, frames, base.pairsApart)
      const motion = reduceMean(g, steps, [1])
      const planes = concat(g, [mean, spread, motion], 1)
      const shrunk = resizePictures(g, reshape(g, planes, [-1, rows, cols, 1]), small.rows, small.cols)
      const parts = [reshape(g, shrunk, [-1, (channels + 2) * pixels]), ...motionCourse(g, steps)]
      if (gradients > 0) {
        const flat = orientedGradients(g, reshape(g, grey, [-1, 1, rows, cols]), grid)
        const each = reshape(g, flat, [-1, frames, gradientSize])
        const average = reduceMean(g, each, [1], true)
        parts.push(reshape(g, average, [-1, gradientSize]), deviation(g, each, average))
        parts.push(orientedGradients(g, motion, grid))
      }
      return concat(g, parts, 1)
    },
  }
}

/** How much each pixel changes. grey: [n, frames, 1, rows, cols] -> [n, f, 1, rows, cols], f the number of steps looked at. */
function stepsBetween(g: GraphBuilder, grey: Value, frames: number, withinPairs: boolean): Value {
  if (frames === 1) return mul(g, grey, 0)
  const [before, after] = withinPairs
    ? [slice(g, grey, 1, 0, null, 2), slice(g, grey, 1, 1, null, 2)]
    : [slice(g, grey, 1, 0, -1), slice(g, grey, 1, 1, null)]
  return abs(g, sub(g, after, before))
}

/** Spread over axis 1 around its mean; the axis is dropped. */
function deviation(g: GraphBuilder, x: Value, mean: Value): Value {
  const delta = sub(g, x, mean)
  return sqrt(g, add(g, reduceMean(g, mul(g, delta, delta), [1]), 1e-8))
}

/** How much moves: mean, spread over time and peak of the mean absolute step. steps: [n, f, 1, rows, cols] -> three [n, 1] */
function motionCourse(g: GraphBuilder, steps: Value): Value[] {
  const amount = reduceMean(g, steps, [2, 3, 4])
  const mean = reduceMean(g, amount, [1], true)
  return [mean, reshape(g, deviation(g, amount, mean), [-1, 1]), reduceMax(g, amount, [1], true)]
}
