// A few frames of a video, spread over its valid steps, an even number of them in pairs of close ones (dataset/middle-steps.ts), each
// resized like a picture: [frames, channels, rows, cols] bytes. The base of every video front, and the input of video networks.
// Videos shorter than `frames` repeat frames.
import { inPairs, middleShares, middlesOfFixed, PAIR_STEPS, ROUNDING_MARGIN } from '../../dataset/middle-steps.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, cast, clip, floor, gather, mul, reshape, sub, unsqueeze } from '../../graph/functions.ts'
import type { FrontEnd, ModelInput } from '../family.ts'
import { type PictureSize, pictureSize, quantise, rangesKey, toUnit } from './picture.ts'
import { resizePictures } from './resize-pictures.ts'

export interface FramesFront extends FrontEnd {
  /** Frames 2p and 2p + 1 are close, and far from the next two: what changes within a pair is motion, what changes between pairs is not. */
  pairsApart: boolean
}

/** Videos of so many steps for each frame that is looked at have pairs apart: 2 within a pair, 4 to the next. */
const APART = 3

/** Shape [frames, channels, rows, cols], uint8. */
export function framesFront(profile: TaskProfile, frames: number, size?: PictureSize, matrix = 0): FramesFront {
  const about = profile.matrices[matrix]
  const { rows, cols } = size ?? pictureSize(about)
  const { channels } = about
  return {
    key: `${inPairs(frames) ? 'paired frames' : 'frames'}:${matrix}:${frames}x${channels}x${rows}x${cols}${rangesKey(about)}`,
    base: null,
    shape: [frames, channels, rows, cols],
    store: 'uint8',
    steps: frames,
    // One answer for all videos of a task, so that a model does not depend on how they are batched.
    pairsApart: inPairs(frames) && about.steps.median >= APART * frames,
    build(g, _x, inputs) {
      const chosen = pickFrames(g, inputs[matrix], frames)
      const [, , r, c] = chosen.shape
      const stacked = reshape(g, chosen, [-1, r, c, channels])
      const small = resizePictures(g, toUnit(g, stacked, about), rows, cols)
      return quantise(g, reshape(g, small, [-1, frames, channels, rows, cols]))
    },
  }
}

/** [n, t, ...] -> [n, frames, ...]: the steps that dataset/middle-steps.ts names. */
function pickFrames(g: GraphBuilder, { matrix, length }: ModelInput, frames: number): Value {
  const steps = matrix.shape[1]
  if (length === null && typeof steps === 'number') {
    if (steps === frames) return matrix
    return g.op('Gather', [matrix, g.ints(middlesOfFixed(steps, frames))], { axis: 1 })
  }
  const valid = length
    ? unsqueeze(g, cast(g, length, 'float32'), [1])
    : cast(g, g.op('Shape', [matrix], { start: 1, end: 2 }), 'float32')
  const shares = g.constant(middleShares(frames), [1, frames])
  const middles = floor(g, add(g, mul(g, valid, shares), ROUNDING_MARGIN))
  const last = clip(g, sub(g, valid, 1), 0, null)
  const latest = inPairs(frames) ? [pairsEnd(g, middles, frames)] : []
  const indices = cast(g, g.op('Min', [middles, ...latest, last]), 'int64')
  if (length === null) return g.op('Gather', [matrix, reshape(g, indices, [frames])], { axis: 1 })
  return g.op('GatherND', [matrix, unsqueeze(g, indices, [2])], { batch_dims: 1 })
}

/** [n, frames] middles -> [n, frames]: where the second of each pair may lie at the latest; a first stays where it is. */
function pairsEnd(g: GraphBuilder, middles: Value, frames: number): Value {
  const each = Array.from({ length: frames }, (_, i) => i)
  const firsts = gather(g, middles, g.ints(each.map((i) => i - (i % 2))), 1)
  const reach = Float32Array.from(each, (i) => PAIR_STEPS * (i % 2))
  return add(g, firsts, g.constant(reach, [1, frames]))
}
