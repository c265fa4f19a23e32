// All matrices of an example as one series of fixed size [channels, steps]: unequal lengths are stretched to one length, channels are
// put on one scale, either once for the whole training set or within each example.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, clip, concat, div, mul, reduceMean, round, sqrt, sub } from '../../graph/functions.ts'
import { fingerprint } from '../common/fingerprint.ts'
import type { FrontEnd, ModelInput } from '../family.ts'
import { seriesChannels, seriesView, timeAxis } from '../fronts/series-view.ts'
import { stretch } from '../fronts/stretch.ts'
import { KERNEL_LENGTH } from './kernels.ts'

/** 'set': every example is shifted and scaled alike, so that level and size keep their meaning; 'example': each by its own. */
export type SeriesScale = 'set' | 'example'

export interface SeriesShape {
  channels: number
  steps: number
}

/** Longer series are shrunk: what is finer than a thousandth of the whole rarely tells classes apart. */
const MAX_STEPS = 1024
/** Two kernel lengths: with fewer there is but one dilation. */
const MIN_STEPS = 2 * KERNEL_LENGTH

export function seriesShape(profile: TaskProfile): SeriesShape {
  let channels = 0
  let longest = 0
  for (const matrix of profile.matrices) {
    channels += seriesChannels(matrix)
    longest = Math.max(longest, matrix[timeAxis(matrix)].max)
  }
  return { channels, steps: Math.max(MIN_STEPS, Math.min(MAX_STEPS, longest)) }
}

/** Shape [channels, steps], as the examples are. */
export function stretchedFront(profile: TaskProfile): FrontEnd {
  const { channels, steps } = seriesShape(profile)
  return {
    key: `series:${channels}x${steps}`,
    base: null,
    shape: [channels, steps],
    store: 'float32',
    build: (g, _x, inputs) => stretched(g, profile, inputs, steps),
  }
}

function stretched(g: GraphBuilder, profile: TaskProfile, inputs: readonly ModelInput[], steps: number): Value {
  const parts = inputs.map((input, matrix) => stretch(g, seriesView(g, profile, input, matrix), steps))
  return concat(g, parts, 1)
}

export interface ChannelScales {
  /** [channels] */
  mean: Float32Array
  deviation: Float32Array
}

/** @param x [n, channels, steps] stretched training examples */
export function channelScales(x: Float32Array, { channels, steps }: SeriesShape): ChannelScales {
  const mean = new Float32Array(channels)
  const deviation = new Float32Array(channels).fill(1)
  const n = x.length / (channels * steps)
  for (let c = 0; c < channels; c++) {
    let sum = 0
    let squares = 0
    for (let i = 0; i < n; i++) {
      const from = (i * channels + c) * steps
      for (let t = from; t < from + steps; t++) {
        sum += x[t]
        squares += x[t] * x[t]
      }
    }
    const count = Math.max(1, n * steps)
    mean[c] = sum / count
    const spread = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))
    if (spread > 1e-12) deviation[c] = spread
  }
  return { mean, deviation }
}

/** Scaled values are multiples of 1 / GRID: sums of a few of them are exact in float32, whatever computes them in whatever order. */
const GRID = 2 ** 14

/** Shape [channels, steps], scaled. */
export function scaledFront(profile: TaskProfile, scale: SeriesScale, scales: ChannelScales): FrontEnd {
  const { channels, steps } = seriesShape(profile)
  return {
    key: scale === 'example' ? 'scaled by example' : `scaled:${fingerprint(scales.mean, scales.deviation)}`,
    base: stretchedFront(profile),
    shape: [channels, steps],
    store: 'float32',
    build(g, x) {
      return mul(g, round(g, mul(g, scaled(g, x!), GRID)), 1 / GRID)
    },
  }

  function scaled(g: GraphBuilder, x: Value): Value {
    if (scale === 'set') {
      const centred = sub(g, x, g.constant(scales.mean, [1, channels, 1]))
      return clip(g, div(g, centred, g.constant(scales.deviation, [1, channels, 1])), -1e3, 1e3)
    }
    const centred = sub(g, x, reduceMean(g, x, [2], true))
    const spread = sqrt(g, reduceMean(g, mul(g, centred, centred), [2], true))
    return div(g, centred, add(g, spread, 1e-6))
  }
}
