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
  pad,
  range,
  reduceMax,
  reduceSum,
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
  /** [n, 1, 1] float32 frames that lie within the clip (of a pool: some of it), at least 1. */
  valid: Value
  /** [n, 1, frames] bool, true within the clip. */
  inside: Value
}

/** @param pool neighbouring windows whose mean power becomes one frame. @default 1 */
export function logMelFrames(g: GraphBuilder, input: ModelInput, geometry: WaveGeometry, pool = 1): LogMelFrames {
  const { window, hop } = geometry
  const wave = wholeWave(g, input.matrix)
  const peak = reduceMax(g, abs(g, wave), [2], true)
  const scaled = div(g, wave, add(g, peak, 1e-9))
  const power = hop === window / 2 ? foldedPower(g, scaled, geometry) : plainPower(g, scaled, geometry)
  const steps = input.length
    ? reshape(g, cast(g, input.length, 'float32'), [-1, 1, 1])
    : reshape(g, cast(g, dimOf(g, input.matrix, 1), 'float32'), [1, 1, 1])
  const windows = clip(g, add(g, floor(g, div(g, sub(g, steps, window), hop)), 1), 1, null)
  const pooled = pool === 1 ? power : poolFrames(g, power, windows, geometry.mels, pool)
  const valid = pool === 1 ? windows : floor(g, div(g, add(g, windows, pool - 1), pool))
  const values = sub(g, log(g, add(g, pooled, FLOOR)), Math.log(FLOOR))
  return { values, valid, inside: less(g, framePositions(g, values), valid) }
}

/** [n, mels, frames] -> [n, mels, frames / pool]: means over those of `pool` neighbours that lie among the first `valid`. */
function poolFrames(g: GraphBuilder, power: Value, valid: Value, mels: number, pool: number): Value {
  const within = where(g, less(g, framePositions(g, power), valid), power, 0)
  const count = g.op('Div', [add(g, dimOf(g, power, 2), g.ints([pool - 1])), g.ints([pool])])
  const padded = pad(g, within, [0, 0, 0, 0, 0, pool - 1])
  const whole = g.op('Slice', [padded, g.ints([0]), mul(g, count, g.ints([pool])), g.ints([2])])
  const sums = reduceSum(g, g.op('Reshape', [whole, g.ints([0, mels, -1, pool])]), [3])
  const heard = clip(g, sub(g, valid, mul(g, framePositions(g, sums), pool)), 1, pool)
  return div(g, sums, heard)
}

/** [1, 1, frames] float32 0, 1, 2, … along the last axis of x [n, mels, frames]. */
function framePositions(g: GraphBuilder, x: Value): Value {
  return reshape(g, cast(g, range(g, 0, squeeze(g, dimOf(g, x, 2), [0])), 'float32'), [1, 1, -1])
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
  /**
   * Long signals get a wider hop, up to one window; of longer ones, neighbouring windows that overlap by half become one frame, so
   * that nothing goes unheard. @default 128
   */
  maxFrames?: number
}

/** Frames of the picture: all of a median clip, a multiple of 8; and how many windows each is the mean of. */
export function logMelSize(profile: TaskProfile, { maxFrames = 128 }: LogMelOptions = {}, matrix = 0) {
  const steps = Math.max(1, profile.matrices[matrix].steps.median)
  const plain = waveGeometry(profile, matrix)
  const half = plain.window / 2
  const wanted = Math.ceil(steps / maxFrames)
  // Windows that overlap by half cost half as much (folded-spectrum.ts): hearing twice as many is no slower than side by side.
  const pool = wanted > plain.window ? Math.ceil(wanted / half) : 1
  const hop = pool > 1 ? half : Math.max(half, wanted)
  const frames = Math.max(8, Math.min(maxFrames, 8 * Math.ceil(steps / (hop * pool) / 8)))
  return { geometry: { ...plain, hop }, frames, pool }
}

/** Shape [1, mels, frames], uint8: the middle of the clip, or the clip in the middle of silence. */
export function logMelFront(profile: TaskProfile, options: LogMelOptions = {}, matrix = 0): FrontEnd {
  const { geometry, frames, pool } = logMelSize(profile, options, matrix)
  const { window, hop, mels } = geometry
  return {
    key: `log-mel:${matrix}:${window}/${hop}${pool > 1 ? `*${pool}` : ''}:${mels}x${frames}`,
    base: null,
    shape: [1, mels, frames],
    store: 'uint8',
    build(g, _x, inputs) {
      const { values, valid } = logMelFrames(g, inputs[matrix], geometry, pool)
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
