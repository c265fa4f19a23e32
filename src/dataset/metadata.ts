// metadata.textproto -> DatasetSpec (challenge format, section 2), checked field by field while line and column are known.
// Left out: `is_sparse` (deprecated, `format` says it).
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DataError } from '../support/errors.ts'
import type { DatasetSpec, MatrixFormat, MatrixSpec } from './spec.ts'
import { type FieldReaders, TextProto } from './textproto.ts'

const FORMATS: readonly MatrixFormat[] = ['DENSE', 'SPARSE', 'COMPRESSED']
/** Bounds that no usable dataset reaches: they turn nonsense into a message instead of an allocation. */
const MAX_DIMENSION = 1e8
const MAX_STEP_VALUES = 2 ** 29
/** And an example of a fixed size, 2 GiB: what is held while it is read. */
const MAX_EXAMPLE_VALUES = 2 ** 29
const MAX_CLASSES = 1e6
/** Token ids travel as float32, exact up to here. */
const MAX_TOKEN = 2 ** 24

/** @throws DATA_MISSING, DATA_METADATA */
export function readMetadata(path: string, name: string): DatasetSpec {
  return parseMetadata(readMetadataBytes(path), shortPath(path), name)
}

/** @throws DATA_MISSING */
export function readMetadataBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new DataError('DATA_MISSING', { file: path, rule: 'the metadata cannot be read', cause })
  }
}

/** @param file named in faults. @throws DATA_METADATA with line and column */
export function parseMetadata(content: Uint8Array, file: string, name: string): DatasetSpec {
  const labels = new Map<string, number>()
  const features = new Map<string, number>()
  const vocabulary: (string | undefined)[] = []
  const spec: DatasetSpec = {
    name,
    matrices: [],
    isSequence: false,
    outputDim: 0,
    sequenceSize: 1,
    sampleCount: 0,
    labelNames: [],
    featureNames: features,
    vocabulary,
  }
  const fields: FieldReaders = new Map([
    ['matrix_spec', (text: TextProto) => void spec.matrices.push(readMatrix(text, spec.matrices.length))],
    ['is_sequence', (text: TextProto) => void (spec.isSequence = text.bool())],
    ['output_dim', (text: TextProto) => void (spec.outputDim = within(text, 'output_dim', 1, MAX_CLASSES))],
    ['sequence_size', (text: TextProto) => void (spec.sequenceSize = dimension(text, 'sequence_size'))],
    ['sample_count', (text: TextProto) => void (spec.sampleCount = within(text, 'sample_count', 0, 2 ** 31 - 1))],
    ['label_to_index_map', mapReader('label_to_index_map', MAX_CLASSES, (key, index) => void labels.set(key, index))],
    ['feature_to_index_map', mapReader('feature_to_index_map', MAX_DIMENSION, (key, i) => void features.set(key, i))],
    ['channel_to_index_map', mapReader('channel_to_index_map', MAX_TOKEN, (key, i) => void (vocabulary[i] = key))],
  ])
  new TextProto(content, file).document(fields)
  if (spec.matrices.length === 0) throw metadataFault(file, 'matrix_spec', undefined, 'at least one is needed')
  if (spec.outputDim === 0) throw metadataFault(file, 'output_dim', undefined, 'is missing; must be at least 1')
  const steps = Math.max(1, spec.sequenceSize)
  for (const [i, { rows, cols, channels, format }] of spec.matrices.entries()) {
    const values = steps * Math.max(1, rows) * Math.max(1, cols) * channels
    if (format !== 'SPARSE' && values > MAX_EXAMPLE_VALUES) {
      const rule = `sequence_size x rows x cols x channels of matrix_spec[${i}] must be at most ${MAX_EXAMPLE_VALUES}`
      throw metadataFault(file, 'sequence_size', spec.sequenceSize, rule)
    }
  }
  spec.labelNames = labelNames(labels, spec.outputDim, file)
  return spec
}

/** What must be equal in train and test: everything but `sample_count`. @throws DATA_MISMATCH */
export function checkSameSpec(train: DatasetSpec, test: DatasetSpec, file: string): void {
  const shape = (spec: DatasetSpec): Record<string, unknown> => ({
    output_dim: spec.outputDim,
    sequence_size: spec.sequenceSize,
    'number of matrix_spec': spec.matrices.length,
    ...Object.fromEntries(spec.matrices.map((matrix, i) => [`matrix_spec[${i}]`, JSON.stringify(matrix)])),
    channel_to_index_map: spec.vocabulary.join('\n'),
    label_to_index_map: spec.labelNames.join('\n'),
  })
  const expected = shape(train)
  for (const [field, value] of Object.entries(shape(test))) {
    if (value === expected[field]) continue
    const rule = `must equal the training split's (${String(expected[field]).slice(0, 60)})`
    throw new DataError('DATA_MISMATCH', { file, field, value, rule })
  }
}

function readMatrix(text: TextProto, index: number): MatrixSpec {
  const where = `matrix_spec[${index}]`
  const matrix: MatrixSpec = {
    rows: 0,
    cols: 0,
    channels: -1,
    format: 'DENSE',
    isSequenceRow: false,
    isSequenceCol: false,
    hasLocalityRow: false,
    hasLocalityCol: false,
  }
  const fields: FieldReaders = new Map([
    ['row_count', (t: TextProto) => void (matrix.rows = dimension(t, `${where}.row_count`))],
    ['col_count', (t: TextProto) => void (matrix.cols = dimension(t, `${where}.col_count`))],
    ['num_channels', (t: TextProto) => void (matrix.channels = dimension(t, `${where}.num_channels`))],
    ['format', (t: TextProto) => void (matrix.format = t.enumeration(FORMATS))],
    ['is_sequence_row', (t: TextProto) => void (matrix.isSequenceRow = t.bool())],
    ['is_sequence_col', (t: TextProto) => void (matrix.isSequenceCol = t.bool())],
    ['has_locality_row', (t: TextProto) => void (matrix.hasLocalityRow = t.bool())],
    ['has_locality_col', (t: TextProto) => void (matrix.hasLocalityCol = t.bool())],
  ])
  text.message(fields)
  if (matrix.rows === 0)
    throw text.fault('is missing; must be -1 (varies) or at least 1', undefined, `${where}.row_count`)
  if (matrix.cols === 0)
    throw text.fault('is missing; must be -1 (varies) or at least 1', undefined, `${where}.col_count`)
  if (matrix.channels === -1) matrix.channels = matrix.format === 'COMPRESSED' ? 3 : 1
  if (matrix.format === 'COMPRESSED' && matrix.channels > 4) {
    throw text.fault('a picture has 1 to 4 channels', matrix.channels, `${where}.num_channels`)
  }
  const values = Math.max(1, matrix.rows) * Math.max(1, matrix.cols) * matrix.channels
  if (values > MAX_STEP_VALUES) {
    throw text.fault(`rows x cols x channels must be at most ${MAX_STEP_VALUES}`, values, where)
  }
  return matrix
}

/** -1 (varies) or a positive size. */
function dimension(text: TextProto, field: string): number {
  const value = text.int()
  if (value === -1 || (value >= 1 && value <= MAX_DIMENSION)) return value
  throw text.fault(`must be -1 (varies) or from 1 to ${MAX_DIMENSION}`, value, field)
}

function within(text: TextProto, field: string, low: number, high: number): number {
  const value = text.int()
  if (value >= low && value <= high) return value
  throw text.fault(`must be from ${low} to ${high}`, value, field)
}

/** map<string, int32>: an entry is a message with `key` and `value`; a missing one has its type's zero. */
function mapReader(field: string, below: number, put: (key: string, index: number) => void): (text: TextProto) => void {
  let key = ''
  let index = 0
  const entry: FieldReaders = new Map([
    ['key', (text: TextProto) => void (key = text.string())],
    ['value', (text: TextProto) => void (index = within(text, `${field}.value`, 0, below - 1))],
  ])
  return (text) => {
    const entryAt = text.fieldAt
    key = ''
    index = 0
    text.message(entry)
    put(key, index)
    text.entriesAlike(entryAt, (key, value) => {
      if (value >= below) return false
      put(key, value)
      return true
    })
  }
}

function labelNames(labels: Map<string, number>, outputDim: number, file: string): string[] {
  const names = new Array<string>(outputDim).fill('')
  for (const [label, index] of labels) {
    if (index >= outputDim) {
      throw metadataFault(file, `label_to_index_map['${label}']`, index, `must be below output_dim ${outputDim}`)
    }
    names[index] = label
  }
  return names
}

function metadataFault(file: string, field: string, value: unknown, rule: string): DataError {
  return new DataError('DATA_METADATA', { file, field, rule, ...(value === undefined ? {} : { value }) })
}

/** `…/letters.data/train/metadata.textproto` -> `train/metadata.textproto`: enough to find it, short enough to read. */
export function shortPath(path: string): string {
  return join(basename(dirname(path)), basename(path))
}
