// A task's training rows as trees want them: codes, targets, and which row is which. Tables too large for memory lose rows that
// do not judge. Coding takes a while, so tables are kept while their data are in use and shared by trials.
import type { DenseBatch, MatrixBatch, SparseBatch } from '../../dataset/batch.ts'
import { type Link, linkOf, targetsOf } from '../common/label-statistics.ts'
import { rawTable } from '../common/raw-table.ts'
import type { TrialContext, TrialData, TrialEvent } from '../family.ts'
import { MAX_CODES } from './bins.ts'
import { type Codes, type CodingOptions, denseCoder, sparseCodes } from './codes.ts'
import { MAX_ROWS } from './histogram.ts'
import { joinSparse, type TreeSource } from './source.ts'

export interface TrainingTable {
  source: TreeSource
  codes: Codes
  /** Kept columns of a sparse source; null when all are kept. */
  columns: Int32Array | null
  /** [codes.rows] the training row at each position, ascending. */
  rows: Int32Array
  /** [codes.rows, K] softmax targets sum to 1, or to 0 for a row that teaches nothing. */
  targets: Float32Array
  link: Link
  classes: number
  /** Positions of training rows, those that teach nothing left out. */
  teaching(rows: Int32Array): Int32Array
  /** Positions of training rows that are all in the table. */
  positions(rows: Int32Array): Int32Array
}

/** Codes, a byte each. */
const MAX_TABLE_BYTES = 160e6
/** A booster's margins and both derivatives, with targets: four floats for each row and class. */
const MAX_MARGIN_BYTES = 1e9
/** Histograms of a tree's leaves, kept while it grows: wide tables get fewer codes per column, as a histogram has a slot for each. */
const MAX_HISTOGRAM_BYTES = 192e6
/** Leaves of a tree times sums of a code: a tree that is shared by many classes is larger and has two pairs of sums. */
const IN_FLIGHT = { separate: 32, shared: 128 * 2 }
const FEWEST_CODES = 16
/** Values per chunk: well under 100 ms of reading and coding. */
const CHUNK_VALUES = 1 << 19
/** Sparse columns need this many rows that fill them: one row's own says nothing of others, but many rare ones add up in a forest. */
const MIN_FILLED = 2
/** Most-filled sparse columns kept: histograms have a slot for each of their codes. */
const MAX_SPARSE_COLUMNS = 5000
/** Stored entries of the kept rows, 9 bytes each. */
const MAX_SPARSE_ENTRIES = 12e6

const kept = new WeakMap<TrialData, { key: string; table: TrainingTable }[]>()

export async function* loadTable(
  trial: TrialContext,
  source: TreeSource,
  { categorical = false }: Pick<CodingOptions, 'categorical'>,
): AsyncGenerator<TrialEvent, TrainingTable, void> {
  const options = { categorical, maxCodes: codesPerColumn(source, trial.params.outputs === 'shared') }
  const name = source.kind === 'sparse' ? 'sparse' : source.front.key
  const key = `${name}:${categorical}:${options.maxCodes}`
  const tables = kept.get(trial.data) ?? []
  kept.set(trial.data, tables)
  const known = tables.find((entry) => entry.key === key)
  if (known) return known.table
  const table =
    source.kind === 'sparse' ? yield* loadSparse(trial, source, options) : yield* loadDense(trial, source, options)
  tables.unshift({ key, table })
  tables.length = Math.min(tables.length, 2)
  return table
}

async function* loadDense(
  trial: TrialContext,
  source: Exclude<TreeSource, { kind: 'sparse' }>,
  options: CodingOptions,
): AsyncGenerator<TrialEvent, TrainingTable, void> {
  const features = widthOf(source)
  const rows = affordableRows(trial, Math.floor(MAX_TABLE_BYTES / Math.max(1, features)))
  const coder = denseCoder(rows.length, features, options)
  const chunk = Math.max(1, Math.floor(CHUNK_VALUES / Math.max(1, features)))
  const sampled = coder.sampleRows().map((position) => rows[position])
  const sample = new Float32Array(sampled.length * features)
  for (let from = 0; from < sampled.length; from += chunk) {
    const part = await floats(trial, source, sampled.subarray(from, from + chunk))
    sample.set(part, from * features)
    yield { type: 'progress', units: from, of: rows.length, note: 'reading rows' }
  }
  yield* coder.fit(sample, sampled.length)
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk)
    coder.add(await floats(trial, source, part), from, part.length)
    yield { type: 'progress', units: from + part.length, of: rows.length, note: 'coding rows' }
  }
  return describe(trial, source, coder.finish(), rows, null)
}

/** 255 up to about 3,000 columns, 75 for 10,000; of shared trees 255 up to 370, 46 for 2,000. */
function codesPerColumn(source: TreeSource, shared: boolean): number {
  if (source.kind === 'sparse') return MAX_CODES
  const inFlight = shared ? IN_FLIGHT.shared : IN_FLIGHT.separate
  const affordable = Math.floor(MAX_HISTOGRAM_BYTES / (8 * inFlight * Math.max(1, widthOf(source))))
  return Math.min(MAX_CODES, Math.max(FEWEST_CODES, affordable))
}

function widthOf({ front }: Exclude<TreeSource, { kind: 'sparse' }>): number {
  return front.shape.reduce((product, size) => product * size, 1)
}

async function floats(
  trial: TrialContext,
  source: Exclude<TreeSource, { kind: 'sparse' }>,
  rows: Int32Array,
): Promise<Float32Array> {
  if (source.kind === 'table') return rawTable(trial, 'train', rows)
  const values = await trial.data.features(source.front, 'train', rows)
  return values instanceof Uint8Array ? Float32Array.from(values, (byte) => byte / 255) : values
}

async function* loadSparse(
  trial: TrialContext,
  source: Extract<TreeSource, { kind: 'sparse' }>,
  options: CodingOptions,
): AsyncGenerator<TrialEvent, TrainingTable, void> {
  const { profile } = trial
  const perRow = profile.matrices.reduce((sum, m, i) => sum + Math.max(1e-3, m.density) * source.widths[i], 1)
  const rows = affordableRows(trial, Math.floor(MAX_SPARSE_ENTRIES / perRow))
  const chunk = Math.max(1, Math.floor(CHUNK_VALUES / perRow))
  const blocks: SparseBatch[] = []
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk)
    const matrices = await Promise.all(profile.matrices.map((_, i) => trial.data.raw('train', part, i)))
    blocks.push(joinSparse(matrices.map((batch, i) => asSparse(batch, source.widths[i]))))
    yield { type: 'progress', units: from + part.length, of: rows.length, note: 'reading rows' }
  }
  const all = stackSparse(blocks)
  const columns = filledColumns(all)
  return describe(trial, source, sparseCodes(all, columns, options), rows, columns)
}

/** All training rows, or every row that judges and evenly many of the others: as many as are affordable, but half of that at least. */
function affordableRows({ profile, plan }: TrialContext, most: number): Int32Array {
  const count = profile.trainCount
  const limit = Math.min(most, MAX_ROWS, Math.floor(MAX_MARGIN_BYTES / (16 * profile.classCount)))
  if (count <= limit) return Int32Array.from({ length: count }, (_, row) => row)
  const judging = new Uint8Array(count)
  for (const row of plan.rows) judging[row] = 1
  const others = Int32Array.from({ length: count }, (_, row) => row).filter((row) => judging[row] === 0)
  const wanted = Math.min(others.length, Math.max(limit - plan.rows.length, Math.ceil(limit / 2)))
  for (let i = 0; i < wanted; i++) judging[others[Math.floor((i * others.length) / wanted)]] = 1
  return Int32Array.from({ length: count }, (_, row) => row).filter((row) => judging[row] === 1)
}

function describe(
  trial: TrialContext,
  source: TreeSource,
  codes: Codes,
  rows: Int32Array,
  columns: Int32Array | null,
): TrainingTable {
  const { labels, profile } = trial
  const link = linkOf(profile, labels)
  const { values, weights } = targetsOf(link, labels, profile.classCount, rows)
  const at = new Int32Array(profile.trainCount).fill(-1)
  for (let i = 0; i < rows.length; i++) at[rows[i]] = i
  const positions = (wanted: Int32Array) => wanted.map((row) => at[row]).filter((position) => position >= 0)
  return {
    source,
    codes,
    columns,
    rows,
    targets: values,
    link,
    classes: profile.classCount,
    positions,
    teaching: (wanted) => positions(wanted).filter((position) => weights[position] > 0),
  }
}

function asSparse(batch: MatrixBatch, width: number): SparseBatch {
  return batch.layout === 'sparse' ? batch : sparsened(batch, width)
}

/** A dense matrix beside a sparse one joins it with its nonzero values. */
function sparsened({ data, offsets }: DenseBatch, width: number): SparseBatch {
  const rows = offsets.length - 1
  const indptr = new Int32Array(rows + 1)
  const indices: number[] = []
  const values: number[] = []
  for (let i = 0; i < rows; i++) {
    for (let p = offsets[i]; p < offsets[i + 1]; p++) {
      if (data[p] === 0) continue
      indices.push(p - offsets[i])
      values.push(data instanceof Uint8Array ? data[p] / 255 : data[p])
    }
    indptr[i + 1] = indices.length
  }
  return { layout: 'sparse', indptr, indices: Int32Array.from(indices), values: Float32Array.from(values), width }
}

function stackSparse(blocks: readonly SparseBatch[]): SparseBatch {
  if (blocks.length === 1) return blocks[0]
  const rows = blocks.reduce((sum, block) => sum + block.indptr.length - 1, 0)
  const entries = blocks.reduce((sum, block) => sum + block.indices.length, 0)
  const indptr = new Int32Array(rows + 1)
  const indices = new Int32Array(entries)
  const values = new Float32Array(entries)
  let row = 0
  let at = 0
  for (const block of blocks) {
    indices.set(block.indices, at)
    values.set(block.values, at)
    for (let i = 1; i < block.indptr.length; i++) indptr[++row] = at + block.indptr[i]
    at += block.indices.length
  }
  return { layout: 'sparse', indptr, indices, values, width: blocks[0]?.width ?? 0 }
}

/** The columns that most rows fill, the fullest first. */
function filledColumns({ indices, width }: SparseBatch): Int32Array {
  const counts = new Int32Array(width)
  for (const column of indices) counts[column]++
  const filled = Int32Array.from({ length: width }, (_, column) => column).filter((c) => counts[c] >= MIN_FILLED)
  const chosen = filled.sort((a, b) => counts[b] - counts[a] || a - b).slice(0, MAX_SPARSE_COLUMNS)
  // A model needs something to look at.
  return chosen.length > 0 ? chosen : new Int32Array(Math.min(1, width))
}
