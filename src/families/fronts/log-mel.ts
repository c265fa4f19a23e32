// Log-mel spectrograms inside the graph: a strided convolution with a windowed Fourier basis, squares, one product with the mel
// bank, a logarithm. `logMelFront` is the fixed-size picture [1, mels, frames] that networks take (bytes; lower bands first, silence
// is 0); `logMelFrames` is the variable-length version that statistics are taken of. Each clip is scaled by its own peak, so that
// loudness and the unit of the samples do not matter. Trailing padding (steps past `length`) never counts.
import type { TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  abs,
  add,
  cast,
  clip,
  conv,
  dimOf,
  div,
  floor,
  less,
  log,
  matmul,
  mul,
  range,
  reduceMax,
  reshape,
  squeeze,
  sub,
  transpose,
  unsqueeze,
  where,
} from '../../graph/functions.ts'
import type { FrontEnd, ModelInput } from '../family.ts'
import { foldedSpectrum } from './folded-spectrum.ts'
import { fourierFilters, melFilters } from './mel-bank.ts'
import { quantise } from './picture.ts'
import { type WaveGeometry, waveGeometry } from './wave-geometry.ts'

/** Powers below this share of a full-scale sine are silence (80 dB). */
const FLOOR = 1e-8
/** Only bends the mel scale; see melFilters. */
const ASSUMED_RATE_HZ = { short: 8000, long: 16000 }

export interface LogMelFrames {
  /** [n, mels, frames], log power from 0 (silence) to about -log(FLOOR) = 18.4. */
  values: Value
  /** [n, 1, 1] float32 frames that lie within the clip, at least 1. */
  valid: Value
  /** [n, 1, frames] bool, true within the clip. */
  inside: Value
}

export function logMelFrames(g: GraphBuilder, input: ModelInput, geometry: WaveGeometry): LogMelFrames {
  const { window, hop } = geometry
  const wave = wholeWave(g, input.matrix)
  const peak = reduceMax(g, abs(g, wave), [2], true)
  const scaled = div(g, wave, add(g, peak, 1e-9))
  const power = hop === window / 2 ? foldedPower(g, scaled, geometry) : plainPower(g, scaled, geometry)
  const values = sub(g, log(g, add(g, power, FLOOR)), Math.log(FLOOR))
  const steps = input.length
    ? reshape(g, cast(g, input.length, 'float32'), [-1, 1, 1])
    : reshape(g, cast(g, dimOf(g, input.matrix, 1), 'float32'), [1, 1, 1])
  const valid = clip(g, add(g, floor(g, div(g, sub(g, steps, window), hop)), 1), 1, null)
  const positions = cast(g, range(g, 0, squeeze(g, dimOf(g, values, 2), [0])), 'float32')
  return { values, valid, inside: less(g, reshape(g, positions, [1, 1, -1]), valid) }
}

/** [n, mels, frames] by a strided convolution, whatever the hop. */
function plainPower(g: GraphBuilder, wave: Value, geometry: WaveGeometry): Value {
  const { window, hop, mels } = geometry
  const bins = window / 2 + 1
  const basis = g.constant(fourierFilters(window), [2 * bins, 1, window])
  const spectrum = conv(g, wave, basis, null, { strides: hop, pads: [0, window - 1] })
  const bank = bankOf(geometry)
  const stacked = new Float32Array(mels * 2 * bins)
  for (let m = 0; m < mels; m++) {
    const row = bank.subarray(m * bins, (m + 1) * bins)
    stacked.set(row, m * 2 * bins)
    stacked.set(row, m * 2 * bins + bins)
  }
  return matmul(g, g.constant(stacked, [mels, 2 * bins]), mul(g, spectrum, spectrum))
}

/** The same where windows overlap by half. */
function foldedPower(g: GraphBuilder, wave: Value, geometry: WaveGeometry): Value {
  const { window, mels } = geometry
  const bins = window / 2 + 1
  const bank = bankOf(geometry)
  const columns = Float32Array.from(
    { length: bins * mels },
    (_, at) => bank[(at % mels) * bins + Math.floor(at / mels)],
  )
  return transpose(g, matmul(g, foldedSpectrum(g, wave, window), g.constant(columns, [bins, mels])), [0, 2, 1])
}

/** [mels, bins] */
function bankOf({ window, mels }: WaveGeometry): Float32Array {
  return melFilters(window, mels, window <= 256 ? ASSUMED_RATE_HZ.short : ASSUMED_RATE_HZ.long)
}

export interface LogMelOptions {
  /** Long signals get a wider hop, up to one window, before the middle is cut out. @default 128 */
  maxFrames?: number
}

/** Frames of the picture: all of a median clip, a multiple of 8. */
export function logMelSize(profile: TaskProfile, { maxFrames = 128 }: LogMelOptions = {}, matrix = 0) {
  const steps = Math.max(1, profile.matrices[matrix].steps.median)
  const plain = waveGeometry(profile, matrix)
  const hop = Math.min(plain.window, Math.max(plain.window / 2, Math.ceil(steps / maxFrames)))
  const frames = Math.max(8, Math.min(maxFrames, 8 * Math.ceil(steps / hop / 8)))
  return { geometry: { ...plain, hop }, frames }
}

/** Shape [1, mels, frames], uint8: the middle of the clip, or the clip in the middle of silence. */
export function logMelFront(profile: TaskProfile, options: LogMelOptions = {}, matrix = 0): FrontEnd {
  const { geometry, frames } = logMelSize(profile, options, matrix)
  const { window, hop, mels } = geometry
  return {
    key: `log-mel:${matrix}:${window}/${hop}:${mels}x${frames}`,
    base: null,
    shape: [1, mels, frames],
    store: 'uint8',
    build(g, _x, inputs) {
      const { values, valid } = logMelFrames(g, inputs[matrix], geometry)
      const start = floor(g, div(g, sub(g, reshape(g, valid, [-1, 1]), frames), 2))
      const wanted = add(
        g,
        start,
        g.constant(
          Float32Array.from({ length: frames }, (_, i) => i),
          [1, frames],
        ),
      )
      const last = sub(g, reshape(g, valid, [-1, 1]), 1)
      const outside = g.op('Or', [less(g, wanted, 0), g.op('Greater', [wanted, last])])
      const indices = cast(g, g.op('Max', [g.op('Min', [wanted, last]), g.scalar(0)]), 'int64')
      // One length for all clips gives one row of indices; spread it over the batch.
      const spread = add(
        g,
        indices,
        mul(g, reshape(g, range(g, 0, batchSize(g, values)), [-1, 1]), g.scalar(0, 'int64')),
      )
      const picked = g.op('GatherND', [transpose(g, values, [0, 2, 1]), unsqueeze(g, spread, [2])], { batch_dims: 1 })
      const silent = where(g, unsqueeze(g, outside, [2]), 0, picked)
      const image = transpose(g, silent, [0, 2, 1])
      return reshape(g, quantise(g, mul(g, image, 1 / -Math.log(FLOOR))), [-1, 1, mels, frames])
    },
  }
}

/** [n, t, rows, cols, channels] -> [n, 1, t * rows * cols * channels], missing samples as 0 */
function wholeWave(g: GraphBuilder, matrix: Value): Value {
  const wave = reshape(g, matrix, [matrix.shape[0], 1, -1])
  return where(g, g.op('IsNaN', [wave]), 0, wave)
}

function batchSize(g: GraphBuilder, x: Value): Value {
  return squeeze(g, dimOf(g, x, 0), [0])
}
