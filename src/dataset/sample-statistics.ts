// Statistics over a sample of examples: what a task profile states, and the evidence for deciding its kind.
import type { DenseBatch, MatrixBatch, SparseBatch } from './batch.ts'
import type { SignalEvidence } from './kind.ts'
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
  const mean = finite > 0 ? sum / finite : 0
  return {
    min: Number.isFinite(min) ? min : 0,
    max: Number.isFinite(max) ? max : 0,
    mean,
    std: finite > 0 ? Math.sqrt(Math.max(0, squares / finite - mean * mean)) : 0,
    missing: total > 0 ? missing / total : 0,
    density: total > 0 ? (batch.layout === 'dense' ? nonzero : values.length) / total : 0,
    integral,
    meanSize: examples > 0 ? total / examples : 0,
  }
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

/** Sizes of axis 0 (steps), 1 (rows) or 2 (cols) over the sample. */
export function axisExtent(batch: MatrixBatch, axis: 0 | 1 | 2, sparseSize: number): Extent {
  if (batch.layout === 'sparse') return { min: sparseSize, median: sparseSize, max: sparseSize }
  const sizes = Int32Array.from({ length: batch.shapes.length / 4 }, (_, i) => batch.shapes[i * 4 + axis]).sort()
  if (sizes.length === 0) return { min: 0, median: 0, max: 0 }
  return { min: sizes[0], median: sizes[sizes.length >> 1], max: sizes[sizes.length - 1] }
}

const NO_EVIDENCE: SignalEvidence = { crossings: 0, offset: 0, autocorrelation: 0, neighbours: 0 }
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
  }
}

/** Median over columns of the correlation between a column and the next one, over examples of equal size. */
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
    const spread = Math.sqrt((saa - (sa * sa) / both) * (sbb - (sb * sb) / both))
    correlations.push(spread > 0 ? (sab - (sa * sb) / both) / spread : 0)
  }
  return median(correlations)
}

/** Bytes of one example per value: pictures stay uint8. */
export function bytesPerValue(batch: DenseBatch | SparseBatch): number {
  return batch.layout === 'dense' && batch.data instanceof Uint8Array ? 1 : 4
}

function median(values: number[]): number {
  if (values.length === 0) return 0
  return Float64Array.from(values).sort()[values.length >> 1]
}
