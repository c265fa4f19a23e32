// Assembles training batches of signals on a time axis: spectrograms [bands, frames] and series [channels, steps], both
// with time last; bytes (spectrograms kept as such) take no level, scale or noise. Moves them in time, changes their level and blanks stretches of time and bands (SpecAugment, Park et
// al. 2019, without time warping, which earns little there and costs interpolation).
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
  /** Standard deviation of a level added to the whole signal (log scale: gain), in units of the data. */
  level: number
  /** Standard deviation of the natural logarithm of a factor on the whole signal. */
  scale: number
  /** Standard deviation of white noise, in units of the data. */
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

/**
 * Writes an augmented copy of each of `rows` into `out`, [rows.length, bands, steps].
 * @param blank [bands] the value that blanked stretches take: the mean over the training rows
 */
export function assembleSignals(
  signals: Signals,
  rows: Int32Array,
  policy: SignalPolicy,
  blank: Float32Array,
  rng: Rng,
  out: Float32Array | Uint8Array,
): void {
  const { data, bands, steps } = signals
  const size = bands * steps
  for (let i = 0; i < rows.length; i++) {
    const source = rows[i] * size
    const target = i * size
    const shift = Math.round((2 * rng.uniform() - 1) * policy.shift * steps)
    const bandShift = policy.bandShift > 0 ? rng.below(2 * policy.bandShift + 1) - policy.bandShift : 0
    for (let band = 0; band < bands; band++) {
      const row = source + Math.min(bands - 1, Math.max(0, band + bandShift)) * steps
      copyShifted(data, row, steps, shift, out, target + band * steps)
    }
    if (out instanceof Float32Array) changeLevel(out, target, size, policy, rng)
    for (let m = 0; m < policy.timeMasks; m++) {
      const length = rng.below(Math.floor(policy.timeMaskShare * steps) + 1)
      const from = rng.below(steps - length + 1)
      for (let band = 0; band < bands; band++) {
        const at = target + band * steps + from
        out.fill(blank[band], at, at + length)
      }
    }
    for (let m = 0; m < policy.bandMasks; m++) {
      const length = rng.below(Math.floor(policy.bandMaskShare * bands) + 1)
      const from = rng.below(bands - length + 1)
      for (let band = from; band < from + length; band++) {
        out.fill(blank[band], target + band * steps, target + (band + 1) * steps)
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

function changeLevel(out: Float32Array, target: number, size: number, policy: SignalPolicy, rng: Rng): void {
  const level = policy.level > 0 ? rng.normal() * policy.level : 0
  const scale = policy.scale > 0 ? Math.exp(rng.normal() * policy.scale) : 1
  if (level !== 0 || scale !== 1) {
    for (let j = target; j < target + size; j++) out[j] = out[j] * scale + level
  }
  if (policy.noise > 0) addNoise(out, target, size, policy.noise, rng)
}

/** Sum of four uniforms: close enough to normal for noise, and four times cheaper. */
function addNoise(out: Float32Array, target: number, size: number, deviation: number, rng: Rng): void {
  const unit = deviation / (2 ** 32 * Math.sqrt(4 / 12))
  for (let j = target; j < target + size; j++) {
    out[j] += (rng.uint32() + rng.uint32() + rng.uint32() + rng.uint32() - 2 ** 33) * unit
  }
}

/** Batches of augmented signals. @param blank [bands] */
export function signalBatches(signals: Signals, policy: SignalPolicy, blank: Float32Array): BatchMaker {
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
