// Assembles training batches of signals on a time axis: spectrograms [bands, frames] and series [channels, steps], both
// with time last. Moves them in time, changes their level and blanks stretches of time and bands (SpecAugment, Park et al. 2019,
// without time warping, which earns little there and costs interpolation). Series come in any unit and at any level, so that levels,
// factors and noise go by each example's own bands; bytes (spectrograms kept as such) take none of the three.
import type { Rng } from '../../../support/rng.ts'
import type { BatchMaker } from '../learner.ts'
import { mixup } from './pictures.ts'

/** Signals of one size: `data` is [n, bands, steps], row-major. */
export interface Signals {
  data: Float32Array | Uint8Array
  bands: number
  steps: number
}

export interface SignalPolicy {
  /** Largest move in time either way, as a share of `steps`. The edge value continues the signal. */
  shift: number
  /** Largest move across bands either way, whole bands; only where neighbouring bands are alike (spectrograms). */
  bandShift: number
  /** Standard deviation of a level added to the whole signal (log scale: gain), in deviations of each band of the example. */
  level: number
  /** Standard deviation of the natural logarithm of a factor on the whole signal, around the mean of each band of the example. */
  scale: number
  /** Standard deviation of white noise, in deviations of each band of the example. */
  noise: number
  /** Number of blanked stretches of time, each up to `timeMaskShare` of the steps. */
  timeMasks: number
  timeMaskShare: number
  /** Number of blanked groups of bands, each up to `bandMaskShare` of the bands. */
  bandMasks: number
  bandMaskShare: number
  /** Alpha of mixup's Beta(alpha, alpha); 0: none. */
  mixup: number
}

export const PLAIN_SIGNAL_POLICY: SignalPolicy = {
  shift: 0,
  bandShift: 0,
  level: 0,
  scale: 0,
  noise: 0,
  timeMasks: 0,
  timeMaskShare: 0,
  bandMasks: 0,
  bandMaskShare: 0,
  mixup: 0,
}

/** [bands] what blanked stretches take (the mean over the training rows); 'own': the mean of the example's own band. */
export type Blank = Float32Array | 'own'

/** Writes an augmented copy of each of `rows` into `out`, [rows.length, bands, steps]. */
export function assembleSignals(
  signals: Signals,
  rows: Int32Array,
  policy: SignalPolicy,
  blank: Blank,
  rng: Rng,
  out: Float32Array | Uint8Array,
): void {
  const { data, bands, steps } = signals
  const size = bands * steps
  const own = new Float32Array(bands)
  const blanks = blank === 'own' ? own : blank
  for (let i = 0; i < rows.length; i++) {
    const source = rows[i] * size
    const target = i * size
    const shift = Math.round((2 * rng.uniform() - 1) * policy.shift * steps)
    const bandShift = policy.bandShift > 0 ? rng.below(2 * policy.bandShift + 1) - policy.bandShift : 0
    for (let band = 0; band < bands; band++) {
      const row = source + Math.min(bands - 1, Math.max(0, band + bandShift)) * steps
      copyShifted(data, row, steps, shift, out, target + band * steps)
    }
    if (out instanceof Float32Array || blank === 'own')
      for (let band = 0; band < bands; band++) own[band] = meanOf(out, target + band * steps, steps)
    if (out instanceof Float32Array) changeLevel(out, target, own, steps, policy, rng)
    for (let m = 0; m < policy.timeMasks; m++) {
      const length = rng.below(Math.floor(policy.timeMaskShare * steps) + 1)
      const from = rng.below(steps - length + 1)
      for (let band = 0; band < bands; band++) {
        const at = target + band * steps + from
        out.fill(blanks[band], at, at + length)
      }
    }
    for (let m = 0; m < policy.bandMasks; m++) {
      const length = rng.below(Math.floor(policy.bandMaskShare * bands) + 1)
      const from = rng.below(bands - length + 1)
      for (let band = from; band < from + length; band++) {
        out.fill(blanks[band], target + band * steps, target + (band + 1) * steps)
      }
    }
  }
}

function copyShifted(
  data: Float32Array | Uint8Array,
  source: number,
  steps: number,
  shift: number,
  out: Float32Array | Uint8Array,
  target: number,
): void {
  const first = data[source]
  const last = data[source + steps - 1]
  for (let x = 0; x < steps; x++) {
    const at = x - shift
    out[target + x] = at < 0 ? first : at >= steps ? last : data[source + at]
  }
}

/** @param means [bands] of the example in `out`; changed with it */
function changeLevel(
  out: Float32Array,
  target: number,
  means: Float32Array,
  steps: number,
  policy: SignalPolicy,
  rng: Rng,
): void {
  const level = policy.level > 0 ? rng.normal() * policy.level : 0
  const scale = policy.scale > 0 ? Math.exp(rng.normal() * policy.scale) : 1
  if (level === 0 && scale === 1 && policy.noise === 0) return
  for (const [band, mean] of means.entries()) {
    const from = target + band * steps
    const deviation = level !== 0 || policy.noise > 0 ? deviationOf(out, from, steps, mean) : 0
    means[band] = mean + level * deviation
    for (let j = from; j < from + steps; j++) out[j] = means[band] + (out[j] - mean) * scale
    if (policy.noise > 0) addNoise(out, from, steps, policy.noise * deviation, rng)
  }
}

function meanOf(x: Float32Array | Uint8Array, from: number, steps: number): number {
  let sum = 0
  for (let j = from; j < from + steps; j++) sum += x[j]
  return sum / steps
}

function deviationOf(x: Float32Array, from: number, steps: number, mean: number): number {
  let squares = 0
  for (let j = from; j < from + steps; j++) squares += (x[j] - mean) ** 2
  return Math.sqrt(squares / steps)
}

/** Sum of four uniforms: close enough to normal for noise, and four times cheaper. */
function addNoise(out: Float32Array, target: number, size: number, deviation: number, rng: Rng): void {
  const unit = deviation / (2 ** 32 * Math.sqrt(4 / 12))
  for (let j = target; j < target + size; j++) {
    out[j] += (rng.uint32() + rng.uint32() + rng.uint32() + rng.uint32() - 2 ** 33) * unit
  }
}

/** Batches of augmented signals. */
export function signalBatches(signals: Signals, policy: SignalPolicy, blank: Blank): BatchMaker {
  return {
    fill(rows, x, targets, rng) {
      assembleSignals(signals, rows, policy, blank, rng, x)
      if (policy.mixup > 0) mixup(x, targets, rows.length, policy.mixup, rng)
    },
  }
}

/** [bands] mean over all signals and steps. */
export function bandMeans({ data, bands, steps }: Signals): Float32Array {
  const sums = new Float64Array(bands)
  const rows = data.length / steps
  for (let r = 0; r < rows; r++) {
    let sum = 0
    for (let i = r * steps; i < (r + 1) * steps; i++) sum += data[i]
    sums[r % bands] += sum
  }
  return Float32Array.from(sums, (sum) => sum / ((rows / bands) * steps))
}
