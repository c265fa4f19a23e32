// A multichannel sequence as one vector, the first thing a linear head sees of series: level, spread, extremes, steps, its course
// over a few segments, and the log power of its lowest frequencies, counted in periods per sequence so that unequal lengths compare.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, concat, cos, div, log, matmul, mul, reshape, sin, sub, transpose, where } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import {
  differences,
  maskedDeviation,
  maskedExtremes,
  maskedMean,
  meanAbsolute,
  type Sequence,
  segmentMeans,
} from './masked-statistics.ts'
import { seriesChannels, seriesView, timeAxis } from './series-view.ts'

const SEGMENTS = 6
const SCALARS = 6
/** Features that all channels together may have in frequencies. */
const MAX_SPECTRUM = 1024

/** Shape [features]; all matrices side by side. */
export function seriesStatisticsFront(profile: TaskProfile): FrontEnd {
  const parts = profile.matrices.map((about, matrix) => {
    const channels = seriesChannels(about)
    const axis = timeAxis(about)
    const steps = about[axis].median
    const bins = Math.max(0, Math.min(64, Math.floor(steps / 2), Math.floor(MAX_SPECTRUM / channels)))
    return { matrix, channels, bins, size: channels * (SCALARS + SEGMENTS + bins) }
  })
  return {
    key: `series-statistics:${parts.map(({ channels, bins }) => `${channels}/${bins}`).join()}`,
    base: null,
    shape: [parts.reduce((sum, { size }) => sum + size, 0)],
    store: 'float32',
    build(g, _x, inputs) {
      const blocks = parts.map(({ matrix, bins, size }) => {
        const sequence = seriesView(g, profile, inputs[matrix], matrix)
        return reshape(g, concat(g, statistics(g, sequence, bins), 2), [-1, size])
      })
      return concat(g, blocks, 1)
    },
  }
}

/** Each [n, c, some] */
function statistics(g: GraphBuilder, sequence: Sequence, bins: number): Value[] {
  const mean = maskedMean(g, sequence)
  const deviation = maskedDeviation(g, sequence, mean)
  const { min, max } = maskedExtremes(g, sequence)
  const steps = differences(g, sequence)
  const parts = [mean, deviation, min, max, meanAbsolute(g, steps), maskedDeviation(g, steps, maskedMean(g, steps))]
  parts.push(segmentMeans(g, sequence, SEGMENTS))
  if (bins > 0) parts.push(logSpectrum(g, { ...sequence, values: sub(g, sequence.values, mean) }, deviation, bins))
  return parts
}

/** [n, c, bins]: log of the share of power at 1 .. bins periods per sequence. */
function logSpectrum(g: GraphBuilder, { values, valid, inside }: Sequence, deviation: Value, bins: number): Value {
  const [, , steps] = values.shape
  const positions =
    typeof steps === 'number'
      ? g.constant(
          Float32Array.from({ length: steps }, (_, i) => i + 0.5),
          [1, 1, steps],
        )
      : add(g, stepNumbers(g, values), 0.5)
  const periods = g.constant(
    Float32Array.from({ length: bins }, (_, k) => 2 * Math.PI * (k + 1)),
    [1, bins, 1],
  )
  const phase = mul(g, div(g, positions, valid), periods)
  const kept = div(g, inside ? where(g, inside, values, 0) : values, mul(g, add(g, deviation, 1e-6), valid))
  const real = matmul(g, kept, transpose(g, cos(g, phase), [0, 2, 1]))
  const imaginary = matmul(g, kept, transpose(g, sin(g, phase), [0, 2, 1]))
  return log(g, add(g, add(g, mul(g, real, real), mul(g, imaginary, imaginary)), 1e-5))
}

/** [1, 1, t] 0, 1, 2, … */
function stepNumbers(g: GraphBuilder, values: Value): Value {
  const size = g.op('Squeeze', [g.op('Shape', [values], { start: 2, end: 3 }), g.ints([0])])
  const numbers = g.op('Range', [g.scalar(0, 'int64'), size, g.scalar(1, 'int64')])
  return reshape(g, g.op('Cast', [numbers], { to: 'float32' }), [1, 1, -1])
}
