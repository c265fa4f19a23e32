// A few frames of a video, evenly spread over its valid steps, each resized like a picture: [frames, channels, rows, cols] bytes.
// The base of every video front, and the input of video networks. Videos shorter than `frames` repeat frames.
import { middleShares, middlesOfFixed, ROUNDING_MARGIN } from '../../dataset/middle-steps.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, cast, clip, floor, mul, reshape, sub, unsqueeze } from '../../graph/functions.ts'
import type { FrontEnd, ModelInput } from '../family.ts'
import { type PictureSize, pictureSize, quantise, toUnit } from './picture.ts'
import { resizePictures } from './resize-pictures.ts'

/** Shape [frames, channels, rows, cols], uint8. */
export function framesFront(profile: TaskProfile, frames: number, size?: PictureSize, matrix = 0): FrontEnd {
  const about = profile.matrices[matrix]
  const { rows, cols } = size ?? pictureSize(about)
  const { channels } = about
  return {
    key: `frames:${matrix}:${frames}x${channels}x${rows}x${cols}`,
    base: null,
    shape: [frames, channels, rows, cols],
    store: 'uint8',
    steps: frames,
    build(g, _x, inputs) {
      const chosen = pickFrames(g, inputs[matrix], frames)
      const [, , r, c] = chosen.shape
      const stacked = reshape(g, chosen, [-1, r, c, channels])
      const small = resizePictures(g, toUnit(g, stacked, about), rows, cols)
      return quantise(g, reshape(g, small, [-1, frames, channels, rows, cols]))
    },
  }
}

/** [n, t, ...] -> [n, frames, ...]: steps floor((i + 1/2) length / frames), the middles of equal parts. */
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
  const positions = floor(g, add(g, mul(g, valid, shares), ROUNDING_MARGIN))
  const last = clip(g, sub(g, valid, 1), 0, null)
  const indices = cast(g, g.op('Min', [positions, last]), 'int64')
  if (length === null) return g.op('Gather', [matrix, reshape(g, indices, [frames])], { axis: 1 })
  return g.op('GatherND', [matrix, unsqueeze(g, indices, [2])], { batch_dims: 1 })
}
