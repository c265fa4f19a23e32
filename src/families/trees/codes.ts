// The training rows of a task as codes (see bins.ts): dense tables by column, sparse ones by row without the codes of zeros.
import type { SparseBatch } from '../../dataset/batch.ts'
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

/** Thresholds come from at most this many values in all: sorting must not outlast training. */
const SAMPLE_VALUES = 4_000_000

/**
 * Codes of a dense table that arrives in blocks of rows.
 * @param block block b's values [rows, features] row-major; called first for every block, in order
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
    /** @param sample [count, features] */
    fit(sample: Float32Array, count: number): void {
      const column = new Float32Array(count)
      for (let f = 0; f < features; f++) {
        for (let i = 0; i < count; i++) column[i] = sample[i * features + f]
        bins.push(fitBins(column, options.maxCodes ?? MAX_CODES, options.categorical ?? false))
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
  coder.fit(values, rows)
  coder.add(values, 0, rows)
  return coder.finish()
}

/**
 * @param columns the kept columns of `batch`, ascending: feature f of the codes is column columns[f]
 */
export function sparseCodes(batch: SparseBatch, columns: Int32Array, options: CodingOptions = {}): SparseCodes {
  const rows = batch.indptr.length - 1
  const featureOf = new Int32Array(batch.width).fill(-1)
  for (let f = 0; f < columns.length; f++) featureOf[columns[f]] = f
  const lists = valuesByFeature(batch, featureOf, columns.length)
  const bins: FeatureBins[] = []
  const absent = new Uint8Array(columns.length)
  for (let f = 0; f < columns.length; f++) {
    const stored = lists.values.subarray(lists.start[f], lists.start[f + 1])
    const sample = new Float32Array(stored.length + 1)
    sample.set(stored)
    bins.push(fitBins(sample, Math.min(options.maxCodes ?? MAX_CODES, 64), false))
    absent[f] = codeOf(bins[f], 0)
  }
  const kept = lists.start[columns.length]
  const indptr = new Int32Array(rows + 1)
  const features = new Int32Array(kept)
  const codes = new Uint8Array(kept)
  let n = 0
  for (let i = 0; i < rows; i++) {
    for (let p = batch.indptr[i]; p < batch.indptr[i + 1]; p++) {
      const f = featureOf[batch.indices[p]]
      if (f < 0) continue
      const code = codeOf(bins[f], batch.values[p])
      if (code === absent[f]) continue
      features[n] = f
      codes[n++] = code
    }
    indptr[i + 1] = n
  }
  return { layout: 'sparse', rows, bins, indptr, features: features.slice(0, n), codes: codes.slice(0, n), absent }
}

function valuesByFeature(batch: SparseBatch, featureOf: Int32Array, count: number) {
  const start = new Int32Array(count + 1)
  for (const column of batch.indices) if (featureOf[column] >= 0) start[featureOf[column] + 1]++
  for (let f = 0; f < count; f++) start[f + 1] += start[f]
  const next = start.slice()
  const values = new Float32Array(start[count])
  for (let p = 0; p < batch.indices.length; p++) {
    const f = featureOf[batch.indices[p]]
    if (f >= 0) values[next[f]++] = batch.values[p]
  }
  return { start, values }
}

/** Sparse codes written out by column, for learners that visit single columns. */
export function toDense(codes: SparseCodes): DenseCodes {
  const { rows } = codes
  const columns = new Uint8Array(rows * codes.bins.length)
  for (let f = 0; f < codes.bins.length; f++) columns.fill(codes.absent[f], f * rows, (f + 1) * rows)
  for (let i = 0; i < rows; i++) {
    for (let p = codes.indptr[i]; p < codes.indptr[i + 1]; p++) columns[codes.features[p] * rows + i] = codes.codes[p]
  }
  return { layout: 'dense', rows, bins: codes.bins, columns }
}
