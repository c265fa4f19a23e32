// The way in: `openDataset` finds, checks and indexes a dataset, and gives its splits for reading. Everything that can be
// known to be wrong without reading all values is refused here, before any work.

import { DataError } from '../support/errors.ts'
import type { SplitName } from './batch.ts'
import { type DatasetFiles, locateDataset, type SplitFiles } from './locate.ts'
import { checkSameSpec, parseMetadata, readMetadataBytes, shortPath } from './metadata.ts'
import { measureSparse, type SparseExtent } from './read-sparse.ts'
import type { DatasetSpec } from './spec.ts'
import { type OpenSplit, openSplit, type Split } from './split.ts'
import { scanBuffer } from './tfrecord.ts'
import type { Wire } from './wire.ts'

export interface Dataset {
  files: DatasetFiles
  /** As train/metadata.textproto states it. */
  spec: DatasetSpec
  train: Split
  /** Null when there is no folder test/; count 0 when it has no records. */
  test: Split | null
  /** What is odd but usable, in words for a person. */
  warnings: string[]
  close(): void
}

export interface OpenOptions {
  /** Training labels are only needed for learning: false accepts a training split without any. @default true */
  needLabels?: boolean
}

/**
 * @param path the dataset folder, its `*.data` folder, or a folder with train/ (and test/)
 * @throws DATA_* (exit code 3) naming file, record, field, value and rule
 */
export function openDataset(path: string, options: OpenOptions = {}): Dataset {
  const files = locateDataset(path)
  const metadata = files.train.metadata!
  const content = readMetadataBytes(metadata)
  const spec = parseMetadata(content, shortPath(metadata), files.name)
  const warnings: string[] = []
  const buffer = scanBuffer()
  const train = openSplit('train', files.train.records, spec, buffer)
  let test: OpenSplit | null = null
  try {
    if (train.split.count === 0) {
      throw new DataError('DATA_EMPTY', { file: 'train', rule: 'has no examples; at least one is needed' })
    }
    if (options.needLabels !== false) checkLearnable(train.split, spec, warnings)
    if (files.test === null) warnings.push('there is no test split: models will be made, but no predictions')
    else test = openTest(files.test, content, spec, buffer, warnings)
    numberExamples(train, test)
    sizeSparse(spec, train, test)
  } catch (error) {
    train.split.close()
    test?.split.close()
    throw error
  }
  const close = (): void => {
    train.split.close()
    test?.split.close()
  }
  return { files, spec, train: train.split, test: test?.split ?? null, warnings, close }
}

function openTest(
  files: SplitFiles,
  trainContent: Buffer,
  spec: DatasetSpec,
  buffer: Wire,
  warnings: string[],
): OpenSplit {
  const testSpec =
    files.metadata === null ? { ...spec, sampleCount: 0 } : testMetadata(files.metadata, trainContent, spec)
  if (files.metadata === null && files.records.length > 0) {
    throw new DataError('DATA_MISSING', { file: files.folder, rule: 'has records but no metadata.textproto' })
  }
  const test = openSplit('test', files.records, testSpec, buffer)
  if (test.split.count === 0) warnings.push('the test split is empty: models will be made, but no predictions')
  return test
}

/** Metadata equal but for sample_count, as almost always, need no second parse of the vocabulary. */
function testMetadata(path: string, trainContent: Buffer, spec: DatasetSpec): DatasetSpec {
  const content = readMetadataBytes(path)
  const train = sampleCountLine(trainContent)
  const test = sampleCountLine(content)
  if (train !== null && test !== null) {
    const sameHead = content.subarray(0, test.start).equals(trainContent.subarray(0, train.start))
    if (sameHead && content.subarray(test.end).equals(trainContent.subarray(train.end))) {
      return { ...spec, sampleCount: test.value }
    }
  }
  const testSpec = parseMetadata(content, shortPath(path), spec.name)
  checkSameSpec(spec, testSpec, shortPath(path))
  return testSpec
}

/** Where `sample_count: N` stands on a line of its own. */
function sampleCountLine(content: Buffer): { start: number; end: number; value: number } | null {
  const found = content.indexOf('\nsample_count:')
  const start = content.subarray(0, 13).toString('latin1') === 'sample_count:' ? 0 : found + 1
  if (found < 0 && start !== 0) return null
  const newline = content.indexOf('\n', start)
  const end = newline < 0 ? content.length : newline
  const match = /^sample_count:\s*(\d{1,9})\s*$/.exec(content.toString('latin1', start, end))
  return match === null ? null : { start, end, value: Number(match[1]) }
}

function checkLearnable(train: Split, spec: DatasetSpec, warnings: string[]): void {
  const positives = classCounts(train, spec.outputDim)
  const present = positives.filter((count) => count > 0).length
  if (present === 0) {
    throw new DataError('DATA_LABEL', { file: 'train', field: 'label_index', rule: 'no training example has a label' })
  }
  const absent = spec.labelNames.filter((_, k) => positives[k] === 0)
  const names = absent.slice(0, 5).filter((name) => name !== '')
  if (absent.length > 0) {
    const list = names.length > 0 ? ` (${names.join(', ')}${absent.length > names.length ? ', …' : ''})` : ''
    warnings.push(
      `${absent.length} of ${spec.outputDim} classes have no training example${list}: they will score low everywhere`,
    )
  }
  if (present === 1) warnings.push('all labels are of one class: there is nothing to tell apart')
  if (train.count === 1) warnings.push('there is one training example')
}

/** [K] examples with a positive score. */
export function classCounts(split: Split, outputDim: number): number[] {
  const counts = new Array<number>(outputDim).fill(0)
  const { index, score } = split.labelLists
  for (let i = 0; i < index.length; i++) if (score[i] > 0) counts[index[i]]++
  return counts
}

/** Public files number test examples from 0 and training examples after them. */
function numberExamples(train: OpenSplit, test: OpenSplit | null): void {
  const number = ({ split: { ids }, allIds }: OpenSplit, first: number): void => {
    if (allIds) return
    for (let i = 0; i < ids.length; i++) if (Number.isNaN(ids[i])) ids[i] = first + i
  }
  number(train, test?.split.count ?? 0)
  if (test !== null) number(test, 0)
}

/** A sparse example is flattened, so open axes (-1) take the largest size found in any split, in `spec` too. */
function sizeSparse(spec: DatasetSpec, train: OpenSplit, test: OpenSplit | null): void {
  for (let i = 0; i < spec.matrices.length; i++) {
    const { format, rows, cols, channels } = spec.matrices[i]
    if (format !== 'SPARSE') continue
    let extent: SparseExtent = { steps: spec.sequenceSize, rows, cols, channels }
    if (extent.steps < 0 || rows < 0 || cols < 0) {
      const measured = [train, ...(test === null ? [] : [test])].map(({ index }) => measureSparse(index, i, extent))
      const largest = (axis: 'steps' | 'rows' | 'cols') => Math.max(1, ...measured.map((size) => size[axis]))
      extent = { steps: largest('steps'), rows: largest('rows'), cols: largest('cols'), channels }
    }
    const width = extent.steps * extent.rows * extent.cols * channels
    if (width >= 2 ** 31) {
      const rule = 'a flattened sparse example must have fewer than 2^31 positions'
      throw new DataError('DATA_METADATA', {
        file: 'train/metadata.textproto',
        field: `matrix_spec[${i}]`,
        value: width,
        rule,
      })
    }
    train.extents[i] = extent
    if (test !== null) test.extents[i] = extent
    spec.matrices[i] = { ...spec.matrices[i], rows: extent.rows, cols: extent.cols }
  }
  const sparse = spec.matrices.every(({ format }) => format === 'SPARSE')
  if (sparse) spec.sequenceSize = Math.max(...train.extents.map((extent) => extent?.steps ?? 1))
}

export function splitOf(dataset: Dataset, name: SplitName): Split {
  const split = name === 'train' ? dataset.train : dataset.test
  if (split === null) throw new DataError('DATA_MISSING', { file: dataset.files.folder, rule: `has no split ${name}/` })
  return split
}
