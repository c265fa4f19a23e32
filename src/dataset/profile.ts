// The task profile: all that decisions may depend on. Derived from metadata and a small sample, never from a dataset's name.

import type { DenseBatch, MatrixBatch } from './batch.ts'
import type { LabelLists } from './context-scan.ts'
import { classCounts, type Dataset } from './dataset.ts'
import { decideKind, type SignalEvidence } from './kind.ts'
import {
  axisExtent,
  bytesPerValue,
  type ChannelStatistics,
  signalEvidence,
  type ValueStatistics,
  valueStatistics,
} from './sample-statistics.ts'
import type { DatasetSpec, MatrixSpec } from './spec.ts'
import type { Split } from './split.ts'

export type Kind = 'image' | 'video' | 'audio' | 'text' | 'series' | 'table'

export interface Extent {
  min: number
  median: number
  max: number
}

export interface MatrixProfile {
  spec: MatrixSpec
  steps: Extent
  rows: Extent
  cols: Extent
  channels: number
  /** Same steps, rows and cols in every sampled example (and in the specification). */
  fixed: boolean
  /** Over finite sampled values. `channels`: of each channel of pictures of floats; undefined for all else. */
  values: { min: number; max: number; mean: number; std: number; channels?: ChannelStatistics[] | undefined }
  /** Share of values that are NaN, and that are infinite. */
  missing: number
  infinite: number
  /** Share of stored or nonzero values. */
  density: number
  integral: boolean
}

export interface VocabularyProfile {
  size: number
  /** Mean characters per token over the sample: 1 for unsegmented scripts split into characters. */
  meanTokenLength: number
}

export interface TaskProfile {
  kind: Kind
  /** Why this kind, in words for a person. */
  reason: string
  spec: DatasetSpec
  trainCount: number
  testCount: number
  classCount: number
  /** More than one positive label on more than 2 % of the labelled training examples. */
  multiLabel: boolean
  /** [K] positive training examples per class. */
  classCounts: number[]
  matrices: MatrixProfile[]
  /** What kind of data each matrix is by itself. */
  kinds: Kind[]
  vocabulary: VocabularyProfile | null
  /** Estimated bytes of all decoded training examples as float32 (uint8 for pictures). */
  trainBytes: number
  /** What is odd about the data, in words: classes without examples, missing values, skipped pictures. */
  warnings: string[]
}

/** A sample large enough for shares of a percent, small enough for tens of milliseconds. */
const SAMPLE_EXAMPLES = 256
const SAMPLE_PICTURES = 24
const SAMPLE_RECORD_BYTES = 1 << 20
/** At least so many examples, unless their records are larger than this: every worker reads them before anything else. */
const SAMPLE_LEAST = { examples: 8, bytes: 256e6 }
/** Pictures of a video whose values are looked at: a minute of 320x240 is 345 MB. An odd number has no pairs (middle-steps.ts). */
const SAMPLE_STEPS = 5
/** Of all decoded pictures of the sample: 24 of 1000x1000 are looked at, of larger ones fewer. */
const SAMPLE_DECODED_BYTES = 96e6

/** Reads a small, evenly spaced sample of the training split. @throws DATA_RECORD, DATA_PICTURE */
export async function profileDataset(dataset: Dataset): Promise<TaskProfile> {
  const { spec, train, test } = dataset
  const rows = sampleRows(dataset)
  const matrices: MatrixProfile[] = []
  const evidence: SignalEvidence[] = []
  let trainBytes = 0
  let vocabulary: VocabularyProfile | null = null
  for (let i = 0; i < spec.matrices.length; i++) {
    const { batch, shapes } = await readSample(dataset, rows, i)
    const statistics = valueStatistics(batch)
    const sized = shapes !== null && batch.layout === 'dense' ? { ...batch, shapes } : batch
    matrices.push(profileMatrix(dataset, i, sized, statistics))
    evidence.push(signalEvidence(batch))
    const meanSize = shapes === null ? statistics.meanSize : meanOf(sizesOf(shapes))
    trainBytes += meanSize * train.count * bytesPerValue(batch)
    if (spec.vocabulary.length > 0 && batch.layout === 'dense') vocabulary ??= profileVocabulary(spec, batch)
  }
  const { kind, reason, kinds } = decideKind(spec, matrices, evidence)
  return {
    kind,
    reason,
    spec,
    trainCount: train.count,
    testCount: test?.count ?? 0,
    classCount: spec.outputDim,
    multiLabel: hasSeveralLabels(train.labelLists),
    classCounts: classCounts(train, spec.outputDim),
    matrices,
    kinds,
    vocabulary: kind === 'text' ? vocabulary : null,
    trainBytes,
    warnings: [...dataset.warnings, ...valueWarnings(train)],
  }
}

/** Up to this share of the labelled rows, those with several classes are slips of annotators, not a task of its own kind. */
const SEVERAL_SHARE = 0.02

/** Whether rows commonly have several classes with a score above 0; zeros and repetitions in a list are no labels of their own. */
function hasSeveralLabels({ start, index, score }: LabelLists): boolean {
  let labelled = 0
  let several = 0
  for (let i = 0; i + 1 < start.length; i++) {
    let first = -1
    let another = false
    for (let at = start[i]; at < start[i + 1]; at++) {
      if (score[at] <= 0) continue
      if (first < 0) first = index[at]
      another ||= index[at] !== first
    }
    if (first >= 0) labelled++
    if (another) several++
  }
  return several > SEVERAL_SHARE * labelled
}

/** What was odd among the rows of a split that have been read so far, in words. */
export function valueWarnings(split: Split): string[] {
  const warnings: string[] = []
  const sum = (field: 'nan' | 'infinite') => split.oddValues.reduce((total, counts) => total + counts[field], 0)
  const seen = Math.max(...split.oddValues.map((counts) => counts.rows))
  const scope = `in ${seen} of ${split.count} ${split.name} examples`
  if (sum('nan') > 0) warnings.push(`${sum('nan')} values are missing (NaN) ${scope}`)
  if (sum('infinite') > 0) warnings.push(`${sum('infinite')} values are infinite and taken as missing ${scope}`)
  const skipped = skippedPictures(split)
  return skipped === null ? warnings : [...warnings, skipped]
}

/** How many examples of a split had unreadable pictures so far, in words; null: none. */
export function skippedPictures(split: Split): string | null {
  const first = split.unreadable.values().next().value
  if (first === undefined) return null
  const count = split.unreadable.size
  const examples = count === 1 ? 'example' : 'examples'
  return `${count} ${split.name} ${examples} skipped for unreadable pictures, first ${first.message}`
}

function sampleRows(dataset: Dataset): Int32Array {
  const { count, recordBytes } = dataset.train
  const pictures = dataset.spec.matrices.some((matrix) => matrix.format === 'COMPRESSED')
  const mostOf = (bytes: number) => Math.floor(bytes / (recordBytes / count))
  const least = Math.max(1, Math.min(SAMPLE_LEAST.examples, mostOf(SAMPLE_LEAST.bytes)))
  const affordable = Math.max(least, mostOf(SAMPLE_RECORD_BYTES))
  const size = Math.min(count, affordable, pictures ? SAMPLE_PICTURES : SAMPLE_EXAMPLES)
  return Int32Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * count) / size))
}

interface Sample {
  /** The values. Of pictures not all: a few of every long video, a few examples where they are large. */
  batch: MatrixBatch
  /** [b, 4] of all sampled examples as they are whole, where `batch` may hold fewer; else null. */
  shapes: Int32Array | null
}

async function readSample({ spec, train }: Dataset, rows: Int32Array, matrix: number): Promise<Sample> {
  if (spec.matrices[matrix].format !== 'COMPRESSED') return { batch: await train.read(rows, matrix), shapes: null }
  const shapes = await train.pictureShapes(rows, matrix)
  const long = shapes.some((size, i) => i % 4 === 0 && size > SAMPLE_STEPS)
  const seen = long ? shapes.map((size, i) => (i % 4 === 0 ? SAMPLE_STEPS : size)) : shapes
  const few = spreadWithin(sizesOf(seen), SAMPLE_DECODED_BYTES)
  const batch = await train.read(
    rows.filter((_, i) => few.has(i)),
    matrix,
    long ? SAMPLE_STEPS : undefined,
  )
  return { batch, shapes }
}

/** [b, 4] -> [b] values of each example. */
function sizesOf(shapes: Int32Array): Float64Array {
  return Float64Array.from({ length: shapes.length / 4 }, (_, i) =>
    shapes.subarray(i * 4, i * 4 + 4).reduce((product, size) => product * size, 1),
  )
}

/** Positions of sizes that come to at most `limit` together, all parts of the list in proportion; the smallest if none fits. */
function spreadWithin(sizes: Float64Array, limit: number): Set<number> {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const share = Math.min(1, limit / total)
  const chosen = new Set<number>()
  let passed = 0
  let taken = 0
  for (const [i, size] of sizes.entries()) {
    passed += size
    if (taken + size > passed * share) continue
    taken += size
    chosen.add(i)
  }
  return chosen.size > 0 ? chosen : new Set([sizes.indexOf(Math.min(...sizes))])
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function profileMatrix(
  dataset: Dataset,
  matrix: number,
  batch: MatrixBatch,
  statistics: ValueStatistics,
): MatrixProfile {
  const { spec, train } = dataset
  const matrixSpec = spec.matrices[matrix]
  const steps = axisExtent(batch, 0, spec.sequenceSize)
  const rows = axisExtent(batch, 1, matrixSpec.rows)
  const cols = axisExtent(batch, 2, matrixSpec.cols)
  const sizes = spec.sequenceSize > 0 && matrixSpec.rows > 0 && matrixSpec.cols > 0
  const same = [steps, rows, cols].every((extent) => extent.min === extent.max)
  const { infinite, rows: seen } = train.oddValues[matrix]
  const infiniteShare = seen > 0 ? infinite / (seen * Math.max(1, statistics.meanSize)) : 0
  const { min, max, mean, std, channels } = statistics
  return {
    spec: matrixSpec,
    steps,
    rows,
    cols,
    channels: matrixSpec.channels,
    fixed: sizes && same,
    values: { min, max, mean, std, channels },
    missing: Math.max(0, statistics.missing - infiniteShare),
    infinite: infiniteShare,
    density: statistics.density,
    integral: statistics.integral,
  }
}

function profileVocabulary(spec: DatasetSpec, tokens: DenseBatch): VocabularyProfile {
  let characters = 0
  let known = 0
  for (const id of tokens.data) {
    const token = spec.vocabulary[id]
    if (token === undefined) continue
    for (const _ of token) characters++
    known++
  }
  return { size: spec.vocabulary.length, meanTokenLength: known > 0 ? characters / known : 0 }
}
