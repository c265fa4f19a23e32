// The network for videos: each frame beside its change from the frame before (where frames are pairs apart from each other: beside the
// change within its pair) goes through two-dimensional convolutions; between the stages some channels are shifted one frame forth and
// back (temporal shift, Lin et al. 2019), which costs no multiply-adds; then means and maxima over time and space.
// x [n, frames, channels, height, width].
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { concat, gather, mul, pad, reduceMax, reduceMean, reshape, slice, sub } from '../../graph/functions.ts'
import { dropout } from '../../graph/layers/dropout.ts'
import type { Network } from '../../graph/layers/network.ts'
import { convBlock, head } from './layers.ts'

export interface VideoNetwork {
  frames: number
  /** As the front says (fronts/frames.ts). */
  pairsApart: boolean
  channels: number
  height: number
  width: number
  /** Channels of the first stage. */
  base: number
  stages: number
  dropout: number
  mean: number
  deviation: number
}

/** Share of the channels that moves one frame forth, and as many back. */
const SHIFTED = 8

export function videoForward(network: VideoNetwork, intercepts: Float32Array): (net: Network, x: Value) => Value {
  const { frames, channels, height, width, base, stages } = network
  return (net, x) => {
    const { g } = net
    const n = x.shape[0]
    const scaled = mul(g, sub(g, x, network.mean), 1 / Math.max(1e-3, network.deviation))
    const both = frames > 1 ? concat(g, [scaled, mul(g, changes(g, scaled, network), 2)], 2) : scaled
    let y = reshape(g, both, [-1, frames > 1 ? 2 * channels : channels, height, width])
    if (typeof n === 'number') y = g.refine(y, [n * frames, ...y.shape.slice(1)])
    for (let i = 0; i < stages; i++) {
      if (i > 0 && frames > 1) y = temporalShift(net, y, frames)
      y = convBlock(net, y, Math.min(128, base * 2 ** i), { pool: i + 1 < stages })
    }
    const [, out] = y.shape as number[]
    const space = reshape(g, reduceMean(g, y, [2, 3]), [-1, frames, out])
    const peaks = reshape(g, reduceMax(g, y, [2, 3]), [-1, frames, out])
    const pooled = concat(g, [reduceMean(g, space, [1]), reduceMax(g, space, [1]), reduceMean(g, peaks, [1])], 1)
    return head(net, dropout(net, pooled, network.dropout), intercepts)
  }
}

/** [n, frames, ...] -> the same: what changed from the frame before, nothing at first; or both times what changed within the pair. */
function changes(g: GraphBuilder, x: Value, { frames, pairsApart }: VideoNetwork): Value {
  if (!pairsApart) return sub(g, x, concat(g, [slice(g, x, 1, 0, 1), slice(g, x, 1, 0, frames - 1)], 1))
  const firsts = Array.from({ length: frames }, (_, i) => i - (i % 2))
  const seconds = firsts.map((first) => first + 1)
  return sub(g, gather(g, x, g.ints(seconds), 1), gather(g, x, g.ints(firsts), 1))
}

/** x [n * frames, c, h, w]: the first c/8 channels come from the frame before, the next c/8 from the frame after. */
function temporalShift(net: Network, x: Value, frames: number): Value {
  const { g } = net
  const [rows, c, h, w] = x.shape as number[]
  const part = Math.max(1, Math.floor(c / SHIFTED))
  const y = reshape(g, x, [-1, frames, c * h * w])
  const size = part * h * w
  const past = pad(g, slice(g, slice(g, y, 2, 0, size), 1, 0, frames - 1), [0, 1, 0, 0, 0, 0])
  const next = pad(g, slice(g, slice(g, y, 2, size, 2 * size), 1, 1, null), [0, 0, 0, 0, 1, 0])
  const joined = reshape(g, concat(g, [past, next, slice(g, y, 2, 2 * size, null)], 2), [-1, c, h, w])
  return g.refine(joined, [rows, c, h, w])
}

/** Multiply-adds of one example's forward pass. */
export function videoMacs({ frames, channels, height, width, base, stages }: VideoNetwork): number {
  let [h, w, inputs, total] = [height, width, frames > 1 ? 2 * channels : channels, 0]
  for (let i = 0; i < stages; i++) {
    const out = Math.min(128, base * 2 ** i)
    total += 9 * inputs * out * h * w * frames
    inputs = out
    if (i + 1 < stages) [h, w] = [Math.max(1, Math.floor(h / 2)), Math.max(1, Math.floor(w / 2))]
  }
  return total
}
