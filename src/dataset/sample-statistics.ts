// Statistics over a sample of examples: what a task profile states, and the evidence for deciding its kind.
import type { DenseBatch, MatrixBatch, SparseBatch } from './batch.ts'
import type { CellCorrelations, SignalEvidence } from './kind.ts'
import type { Extent } from './profile.ts'

export interface ValueStatistics {
  min: number
  max: number
  mean: number
  std: number
  /** Shares of all values. */
  missing: number
  density: number
  integral: boolean
  /** Values of one example as dense storage, mean over the sample. */
  meanSize: number
  /** [channels] of pictures of floats (more than one row and column); undefined for all else. */
  channels: ChannelStatistics[] | undefined
}

/** Extremes over all values of one channel; the rest over an evenly spaced sample, which single stray values hardly move. */
export interface ChannelStatistics {
  min: number
  max: number
  mean: number
  std: number
  /** Quantiles at 1 % and 99 %. */
  q01: number
  q99: number
}

/** Over stored values for sparse batches (and 0 for the rest), over all values for dense ones. */
export function valueStatistics(batch: MatrixBatch): ValueStatistics {
  const values = batch.layout === 'dense' ? batch.data : batch.values
  const total = batch.layout === 'dense' ? values.length : batch.width * (batch.indptr.length - 1)
  const examples = batch.layout === 'dense' ? batch.offsets.length - 1 : batch.indptr.length - 1
  const sums = values instanceof Uint8Array ? byteSums(values) : floatSums(values)
  const { sum, squares, missing, nonzero, integral } = sums
  let { min, max } = sums
  const finite = total - missing
  if (values.length < total) {
    min = Math.min(min, 0)
    max = Math.max(max, 0)
  }
  return {
    min: Number.isFinite(min) ? min : 0,
    max: Number.isFinite(max) ? max : 0,
    ...moments(sum, squares, finite),
    missing: total > 0 ? missing / total : 0,
    density: total > 0 ? (batch.layout === 'dense' ? nonzero : values.length) / total : 0,
    integral,
    meanSize: examples > 0 ? total / examples : 0,
    channels: pictureChannels(batch),
  }
}

function moments(sum: number, squares: number, count: number): { mean: number; std: number } {
  const mean = count > 0 ? sum / count : 0
  return { mean, std: count > 0 ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : 0 }
}

interface Sums {
  min: number
  max: number
  sum: number
  squares: number
  missing: number
  nonzero: number
  integral: boolean
}

function floatSums(values: Float32Array): Sums {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let sum = 0
  let squares = 0
  let missing = 0
  let nonzero = 0
  let integral = true
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (Number.isNaN(value)) {
      missing++
      continue
    }
    if (value < min) min = value
    if (value > max) max = value
    if (value !== 0) nonzero++
    if (integral && value !== Math.trunc(value)) integral = false
    sum += value
    squares += value * value
  }
  return { min, max, sum, squares, missing, nonzero, integral }
}

/** By counting how often each byte occurs: a sample of large pictures has tens of millions. */
function byteSums(bytes: Uint8Array): Sums {
  const counts = new Float64Array(256)
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]]++
  const seen = Array.from(counts.keys()).filter((value) => counts[value] > 0)
  let sum = 0
  let squares = 0
  for (const value of seen) {
    sum += counts[value] * value
    squares += counts[value] * value * value
  }
  const min = seen[0] ?? Number.POSITIVE_INFINITY
  const max = seen[seen.length - 1] ?? Number.NEGATIVE_INFINITY
  return { min, max, sum, squares, missing: 0, nonzero: bytes.length - counts[0], integral: true }
}

/** Shared by the channels: sorting takes 2 ms. Its factors divide no usual picture's size, lest all samples lie in one column. */
const SAMPLED_VALUES = 20_011
/** Of each of many channels: enough for ten beyond a quantile. */
const FEWEST_SAMPLED = 1009

function pictureChannels(batch: MatrixBatch): ChannelStatistics[] | undefined {
  if (batch.layout === 'sparse' || batch.data instanceof Uint8Array) return undefined
  if (axisExtent(batch, 1, 1).max <= 1 || axisExtent(batch, 2, 1).max <= 1) return undefined
  const values = batch.data
  const channels = batch.shapes[3]
  const min = new Float32Array(channels).fill(Number.POSITIVE_INFINITY)
  const max = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY)
  for (let at = 0; at < values.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      const value = values[at + c]
      if (value < min[c]) min[c] = value
      if (value > max[c]) max[c] = value
    }
  }
  const count = values.length / channels
  const sample = new Float32Array(Math.min(count, Math.max(FEWEST_SAMPLED, Math.floor(SAMPLED_VALUES / channels))))
  return Array.from({ length: channels }, (_, c) => {
    let size = 0
    for (let i = 0; i < sample.length; i++) {
      const value = values[Math.floor(((i + 0.5) * count) / sample.length) * channels + c]
      if (!Number.isNaN(value)) sample[size++] = value
    }
    const known = sample.subarray(0, size).sort()
    const { sum, squares } = floatSums(known)
    const last = known.length - 1
    return {
      min: Number.isFinite(min[c]) ? min[c] : 0,
      max: Number.isFinite(max[c]) ? max[c] : 0,
      ...moments(sum, squares, known.length),
      // Rounded inwards: one stray value is no quantile, however few there are.
      q01: known[Math.ceil(0.01 * last)] ?? 0,
      q99: known[Math.floor(0.99 * last)] ?? 0,
    }
  })
}

/** Sizes of axis 0 (steps), 1 (rows) or 2 (cols) over the sample. */
export function axisExtent(batch: MatrixBatch, axis: 0 | 1 | 2, sparseSize: number): Extent {
  if (batch.layout === 'sparse') return { min: sparseSize, median: sparseSize, max: sparseSize }
  const sizes = Int32Array.from({ length: batch.shapes.length / 4 }, (_, i) => batch.shapes[i * 4 + axis]).sort()
  if (sizes.length === 0) return { min: 0, median: 0, max: 0 }
  return { min: sizes[0], median: sizes[sizes.length >> 1], max: sizes[sizes.length - 1] }
}

const NO_CELLS: CellCorrelations = { right: 0, lower: 0, far: 0 }
const NO_EVIDENCE: SignalEvidence = { crossings: 0, offset: 0, autocorrelation: 0, neighbours: 0, cells: NO_CELLS }
/** Enough of a long clip to see whether it oscillates. */
const MAX_STEPS_SEEN = 8000

/** Along the flattened values of each example. */
export function signalEvidence(batch: MatrixBatch): SignalEvidence {
  if (batch.layout === 'sparse' || batch.data instanceof Uint8Array) return NO_EVIDENCE
  const crossings: number[] = []
  const offsets: number[] = []
  const correlations: number[] = []
  for (let i = 0; i + 1 < batch.offsets.length; i++) {
    const from = batch.offsets[i]
    const seen = batch.data.subarray(from, Math.min(batch.offsets[i + 1], from + MAX_STEPS_SEEN))
    let signal = seen
    let sum = signal.reduce((total, value) => total + value, 0)
    // Steps that are missing say nothing of the others.
    if (Number.isNaN(sum)) {
      signal = seen.filter((value) => !Number.isNaN(value))
      sum = signal.reduce((total, value) => total + value, 0)
    }
    if (signal.length < 4) continue
    const mean = sum / signal.length
    let variance = 0
    let products = 0
    let crossed = 0
    for (let j = 0; j < signal.length; j++) {
      const value = signal[j] - mean
      variance += value * value
      if (j === 0) continue
      const before = signal[j - 1] - mean
      products += value * before
      if (value >= 0 !== before >= 0) crossed++
    }
    if (!(variance > 0)) continue
    crossings.push(crossed / (signal.length - 1))
    offsets.push(Math.abs(mean) / Math.sqrt(variance / signal.length))
    correlations.push(products / variance)
  }
  return {
    crossings: median(crossings),
    offset: median(offsets),
    autocorrelation: median(correlations),
    neighbours: neighbourCorrelation(batch),
    cells: cellCorrelations(batch.data, batch),
  }
}

/** Of the mean square: what rounding leaves of the variance of a column that is constant. */
const ROUNDING = 1e-12
/** Pairs of columns that vary, below which nothing is said of all. */
const FEWEST_PAIRS = 4

/** Median over columns of the correlation between a column and the next one, over examples of equal size; constant columns are left out. */
function neighbourCorrelation(batch: DenseBatch): number {
  const n = batch.offsets.length - 1
  const width = n > 0 ? batch.offsets[1] : 0
  if (n < 8 || width < 8 || batch.data.length !== n * width) return 0
  const correlations: number[] = []
  for (let c = 0; c + 1 < Math.min(width, 512); c++) {
    let sa = 0
    let sb = 0
    let saa = 0
    let sbb = 0
    let sab = 0
    let both = 0
    for (let i = 0; i < n; i++) {
      const a = batch.data[i * width + c]
      const b = batch.data[i * width + c + 1]
      if (Number.isNaN(a + b)) continue
      both++
      sa += a
      sb += b
      saa += a * a
      sbb += b * b
      sab += a * b
    }
    if (both < 4) continue
    const variances = [saa - (sa * sa) / both, sbb - (sb * sb) / both]
    if (variances[0] <= ROUNDING * saa || variances[1] <= ROUNDING * sbb) continue
    correlations.push((sab - (sa * sb) / both) / Math.sqrt(variances[0] * variances[1]))
  }
  return correlations.length < FEWEST_PAIRS ? 0 : median(correlations)
}

/** Larger matrices are looked at in their middle, and of many only some. */
const MAX_SIDE = 96
const MAX_CELL_VALUES = 2 ** 20
/** Matrices, over all steps and examples, below which no cell has a mean to speak of. */
const FEWEST_MATRICES = 4

/** See CellCorrelations; 0 where matrices differ in size. Every step is a matrix of its own. */
function cellCorrelations(data: Float32Array, { offsets, shapes }: DenseBatch): CellCorrelations {
  const [, rows, cols, channels] = shapes
  if (shapes.length === 0 || rows < 2 || cols < 2) return NO_CELLS
  const starts: number[] = []
  for (let i = 0; i * 4 < shapes.length; i++) {
    if (shapes[i * 4 + 1] !== rows || shapes[i * 4 + 2] !== cols) return NO_CELLS
    for (let t = 0; t < shapes[i * 4]; t++) starts.push(offsets[i] + t * rows * cols * channels)
  }
  const height = Math.min(rows, MAX_SIDE)
  const width = Math.min(cols, MAX_SIDE)
  const count = Math.min(starts.length, Math.max(8, Math.floor(MAX_CELL_VALUES / (height * width * channels))))
  if (count < FEWEST_MATRICES) return NO_CELLS
  const size = height * width * channels
  const scores = new Float32Array(count * size)
  const origin = (((rows - height) >> 1) * cols + ((cols - width) >> 1)) * channels
  for (let i = 0; i < count; i++) {
    const start = starts[Math.floor(((i + 0.5) * starts.length) / count)] + origin
    for (let r = 0; r < height; r++) {
      const from = start + r * cols * channels
      scores.set(data.subarray(from, from + width * channels), i * size + r * width * channels)
    }
  }
  standardiseCells(scores, size)
  const [down, across] = [height >> 1, width >> 1]
  const between = (...offsets: Offset[]) => cellCorrelation(scores, [height, width, channels], offsets)
  return {
    right: between([0, 1]),
    lower: between([1, 0]),
    far: between([0, across], [down, 0], [down, across]),
  }
}

/** Rows and columns from one cell to another. */
type Offset = readonly [down: number, across: number]

/** Each cell to mean 0 and variance 1 over all matrices, then each matrix to mean 0. Cells that are constant become NaN. */
function standardiseCells(scores: Float32Array, size: number): void {
  const sum = new Float64Array(size)
  const squares = new Float64Array(size)
  const known = new Int32Array(size)
  for (let from = 0; from < scores.length; from += size) {
    for (let c = 0; c < size; c++) {
      const value = scores[from + c]
      if (Number.isNaN(value)) continue
      sum[c] += value
      squares[c] += value * value
      known[c]++
    }
  }
  const mean = sum.map((total, c) => total / known[c])
  const scale = squares.map((total, c) => {
    const variance = total - sum[c] * mean[c]
    return variance > ROUNDING * total ? Math.sqrt(known[c] / variance) : Number.NaN
  })
  for (let from = 0; from < scores.length; from += size) {
    let level = 0
    let cells = 0
    for (let c = 0; c < size; c++) {
      const score = (scores[from + c] - mean[c]) * scale[c]
      scores[from + c] = score
      if (Number.isNaN(score)) continue
      level += score
      cells++
    }
    for (let c = 0; c < size; c++) scores[from + c] -= level / cells
  }
}

/** Correlation of cells that lie one of the offsets apart, over all pairs without NaN. @param scores [m, height, width, channels] of mean 0 */
function cellCorrelation(
  scores: Float32Array,
  [height, width, channels]: readonly number[],
  offsets: readonly Offset[],
): number {
  const line = width * channels
  let products = 0
  let squares = 0
  let otherSquares = 0
  for (const [down, across] of offsets) {
    const stride = down * line + across * channels
    for (let top = 0; top < scores.length; top += height * line) {
      for (let r = 0; r < height - down; r++) {
        const from = top + r * line
        for (let at = from; at < from + (width - across) * channels; at++) {
          const a = scores[at]
          const b = scores[at + stride]
          if (Number.isNaN(a + b)) continue
          products += a * b
          squares += a * a
          otherSquares += b * b
        }
      }
    }
  }
  return squares > 0 && otherSquares > 0 ? products / Math.sqrt(squares * otherSquares) : 0
}

/** Bytes of one example per value: pictures stay uint8. */
export function bytesPerValue(batch: DenseBatch | SparseBatch): number {
  return batch.layout === 'dense' && batch.data instanceof Uint8Array ? 1 : 4
}

function median(values: number[]): number {
  if (values.length === 0) return 0
  return Float64Array.from(values).sort()[values.length >> 1]
}
