// The training rows of a task as codes (see bins.ts): dense tables by column, sparse ones by row without the codes of zeros.
import type { SparseBatch } from '../../dataset/batch.ts'
import type { TrialEvent } from '../family.ts'
import { codeOf, encode, type FeatureBins, fitBins, MAX_CODES } from './bins.ts'

export interface DenseCodes {
  layout: 'dense'
  rows: number
  bins: FeatureBins[]
  /** [features, rows] */
  columns: Uint8Array
}

export interface SparseCodes {
  layout: 'sparse'
  rows: number
  bins: FeatureBins[]
  /** [rows + 1] */
  indptr: Int32Array
  /** [nnz] ascending within a row */
  features: Int32Array
  /** [nnz] */
  codes: Uint8Array
  /** [features] the code of 0, which rows do not store. */
  absent: Uint8Array
}

export type Codes = DenseCodes | SparseCodes

/** The code of `feature` in `row`. */
export function codeAt(codes: Codes, row: number, feature: number): number {
  if (codes.layout === 'dense') return codes.columns[feature * codes.rows + row]
  const { features } = codes
  let low = codes.indptr[row]
  const end = codes.indptr[row + 1]
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (features[middle] < feature) low = middle + 1
    else high = middle
  }
  return low < end && features[low] === feature ? codes.codes[low] : codes.absent[feature]
}

export interface CodingOptions {
  /** Codes per feature, NaN's included. @default 255 */
  maxCodes?: number
  /** Small integers are names. @default false: their order is used */
  categorical?: boolean
}

/** Sparse columns have few distinct values, and there are many columns. */
const MAX_SPARSE_CODES = 64
/** Thresholds come from at most this many values in all: sorting must not outlast training. */
const SAMPLE_VALUES = 4_000_000

/**
 * Codes of a dense table that arrives in blocks of rows: `fit` on a sample, then `add` every block.
 */
export function denseCoder(rows: number, features: number, options: CodingOptions = {}) {
  const columns = new Uint8Array(rows * features)
  const bins: FeatureBins[] = []
  return {
    /** Rows of the table to pass to `fit`: evenly spaced. */
    sampleRows(): Int32Array {
      const count = Math.min(rows, Math.max(2000, Math.floor(SAMPLE_VALUES / Math.max(1, features))))
      return Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count))
    },
    /** @param sample [count, features] Yields as it goes. */
    *fit(sample: Float32Array, count: number): Generator<TrialEvent, void, void> {
      const column = new Float32Array(count)
      for (let f = 0; f < features; f++) {
        for (let i = 0; i < count; i++) column[i] = sample[i * features + f]
        bins.push(fitBins(column, options.maxCodes ?? MAX_CODES, options.categorical ?? false))
        // About 20 ms of sorting.
        if ((f + 1) % Math.ceil(400_000 / count) === 0)
          yield { type: 'progress', units: f + 1, of: features, note: 'bins' }
      }
    },
    /** @param block [count, features], rows firstRow .. firstRow + count */
    add(block: Float32Array, firstRow: number, count: number): void {
      for (let f = 0; f < features; f++) encode(bins[f], block, f, features, count, columns, f * rows + firstRow)
    },
    finish(): DenseCodes {
      return { layout: 'dense', rows, bins, columns }
    },
  }
}

/** @param values [rows, features] row-major */
export function denseCodes(
  values: Float32Array,
  rows: number,
  features: number,
  options: CodingOptions = {},
): DenseCodes {
  const coder = denseCoder(rows, features, options)
  for (const _ of coder.fit(values, rows));
  coder.add(values, 0, rows)
  return coder.finish()
}

/**
 * @param columns the kept columns of `batch`: feature f of the codes is column columns[f]
 */
export function sparseCodes(batch: SparseBatch, columns: Int32Array, options: CodingOptions = {}): SparseCodes {
  const rows = batch.indptr.length - 1
  const lists = entriesByFeature(batch, columns)
  const bins: FeatureBins[] = []
  const absent = new Uint8Array(columns.length)
  const coded = new Uint8Array(lists.values.length)
  const indptr = new Int32Array(rows + 1)
  for (let f = 0; f < columns.length; f++) {
    const stored = lists.values.subarray(lists.start[f], lists.start[f + 1])
    const sample = new Float32Array(stored.length + 1)
    sample.set(stored)
    bins.push(fitBins(sample, Math.min(options.maxCodes ?? MAX_CODES, MAX_SPARSE_CODES), false))
    absent[f] = codeOf(bins[f], 0)
    for (let p = lists.start[f]; p < lists.start[f + 1]; p++) {
      coded[p] = codeOf(bins[f], lists.values[p])
      if (coded[p] !== absent[f]) indptr[lists.rows[p] + 1]++
    }
  }
  for (let i = 0; i < rows; i++) indptr[i + 1] += indptr[i]
  const next = indptr.slice()
  const features = new Int32Array(indptr[rows])
  const codes = new Uint8Array(indptr[rows])
  for (let f = 0; f < columns.length; f++) {
    for (let p = lists.start[f]; p < lists.start[f + 1]; p++) {
      if (coded[p] === absent[f]) continue
      const at = next[lists.rows[p]]++
      features[at] = f
      codes[at] = coded[p]
    }
  }
  return { layout: 'sparse', rows, bins, indptr, features, codes, absent }
}

/** Stored entries of the kept columns, by feature and then by row. */
function entriesByFeature(batch: SparseBatch, columns: Int32Array) {
  const featureOf = new Int32Array(batch.width).fill(-1)
  for (let f = 0; f < columns.length; f++) featureOf[columns[f]] = f
  const start = new Int32Array(columns.length + 1)
  for (const column of batch.indices) if (featureOf[column] >= 0) start[featureOf[column] + 1]++
  for (let f = 0; f < columns.length; f++) start[f + 1] += start[f]
  const next = start.slice()
  const values = new Float32Array(start[columns.length])
  const rows = new Int32Array(start[columns.length])
  for (let i = 0; i + 1 < batch.indptr.length; i++) {
    for (let p = batch.indptr[i]; p < batch.indptr[i + 1]; p++) {
      const f = featureOf[batch.indices[p]]
      if (f < 0) continue
      values[next[f]] = batch.values[p]
      rows[next[f]++] = i
    }
  }
  return { start, values, rows }
}
