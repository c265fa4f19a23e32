// A multichannel sequence as one vector, the first thing a linear head sees of series: level, spread, extremes, steps, its course
// over a few segments, and the log power of its lowest frequencies, counted in periods per sequence so that unequal lengths compare.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  add,
  concat,
  cos,
  div,
  log,
  matmul,
  maximum,
  mul,
  reshape,
  sin,
  sub,
  transpose,
} from '../../graph/functions.ts'
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
import { partMeans } from './stretch.ts'

const SEGMENTS = 6
const SCALARS = 6
/** Features that all channels together may have in frequencies. */
const MAX_SPECTRUM = 1024
/** Parts of a sequence to a period of its highest frequency. */
const PARTS = 8

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

/**
 * [n, c, bins]: log of the share of power at 1 .. bins periods per sequence. Sequences of lengths of their own are averaged over
 * so many equal parts first, since waves for every length would be [n, bins, t].
 */
function logSpectrum(g: GraphBuilder, sequence: Sequence, deviation: Value, bins: number): Value {
  const { valid, inside } = sequence
  const parts = PARTS * bins
  const values = inside ? partMeans(g, sequence, parts) : sequence.values
  const length = inside ? parts : valid
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
  const phase = mul(g, div(g, positions, length), periods)
  const shares = div(g, values, mul(g, add(g, deviation, 1e-6), length))
  const real = matmul(g, shares, transpose(g, cos(g, phase), [0, 2, 1]))
  const imaginary = matmul(g, shares, transpose(g, sin(g, phase), [0, 2, 1]))
  const power = add(g, mul(g, real, real), mul(g, imaginary, imaginary))
  return log(g, add(g, inside ? div(g, power, keptByParts(g, valid, bins)) : power, 1e-5))
}

/** [n, 1, bins]: about the share of power that a wave of 1 .. bins periods keeps when its steps are held and averaged over parts. */
function keptByParts(g: GraphBuilder, valid: Value, bins: number): Value {
  const squaredSinc = (x: number) => (Math.sin(x) / x) ** 2
  const half = g.constant(
    Float32Array.from({ length: bins }, (_, k) => Math.PI * (k + 1)),
    [1, 1, bins],
  )
  const angle = div(g, half, valid)
  const amplitude = div(g, sin(g, angle), angle)
  // Waves of less than two steps show nothing that could be made up for.
  const held = maximum(g, mul(g, amplitude, amplitude), squaredSinc(Math.PI / 2))
  const averaged = Float32Array.from({ length: bins }, (_, k) => squaredSinc((Math.PI * (k + 1)) / (PARTS * bins)))
  return mul(g, held, g.constant(averaged, [1, 1, bins]))
}

/** [1, 1, t] 0, 1, 2, … */
function stepNumbers(g: GraphBuilder, values: Value): Value {
  const size = g.op('Squeeze', [g.op('Shape', [values], { start: 2, end: 3 }), g.ints([0])])
  const numbers = g.op('Range', [g.scalar(0, 'int64'), size, g.scalar(1, 'int64')])
  return reshape(g, g.op('Cast', [numbers], { to: 'float32' }), [1, 1, -1])
}
