// Writes a dataset in the challenge format: metadata, shards with checksums, and the solution. For importers, fixtures and
// tests; reading back gives the same values.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileSynced } from '../support/atomic-file.ts'
import { maskedCrc32c } from './crc32c.ts'
import { type EncodeOptions, type ExampleToWrite, encodeExample } from './encode-example.ts'
import type { DatasetSpec } from './spec.ts'

export interface WriteOptions extends EncodeOptions {
  /** Files per split. @default 1 */
  shards?: number
}

export interface DatasetToWrite {
  spec: DatasetSpec
  train: readonly ExampleToWrite[]
  /** Labels of test examples go to the solution, never into the records. */
  test: readonly ExampleToWrite[]
}

/**
 * Writes `<folder>/<name>.data/{train,test}/` and `<folder>/<name>.solution`; ids count from 0 over test, then training
 * examples, unless given. @throws OUTPUT_WRITE
 */
export function writeDataset(folder: string, { spec, train, test }: DatasetToWrite, options: WriteOptions = {}): void {
  const data = join(folder, `${spec.name}.data`)
  const numbered = (examples: readonly ExampleToWrite[], first: number) =>
    examples.map((example, i) => ({ ...example, id: example.id === undefined ? first + i : example.id }))
  writeSplit(join(data, 'train'), 'train', spec, numbered(train, test.length), options)
  const unlabelled = numbered(test, 0).map((example) => ({ ...example, labels: [] }))
  writeSplit(join(data, 'test'), 'test', spec, unlabelled, options)
  writeFileSynced(join(folder, `${spec.name}.solution`), formatSolution(test, spec.outputDim))
}

function writeSplit(
  folder: string,
  split: string,
  spec: DatasetSpec,
  examples: readonly ExampleToWrite[],
  options: WriteOptions,
): void {
  const { shards = 1 } = options
  mkdirSync(folder, { recursive: true })
  writeFileSynced(join(folder, 'metadata.textproto'), formatMetadata({ ...spec, sampleCount: examples.length }))
  const width = (shard: number) => String(shard).padStart(5, '0')
  for (let shard = 0; shard < shards; shard++) {
    const from = Math.floor((shard * examples.length) / shards)
    const to = Math.floor(((shard + 1) * examples.length) / shards)
    const records = examples.slice(from, to).map((example) => frameRecord(encodeExample(spec, example, options)))
    const part = shards === 1 ? '' : `-${width(shard)}-of-${width(shards)}`
    writeFileSynced(join(folder, `sample-${spec.name}-${split}.tfrecord${part}`), Buffer.concat(records))
  }
}

/** TFRecord framing: length, its checksum, the bytes, their checksum. */
export function frameRecord(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(bytes.length + 16)
  framed.writeBigUInt64LE(BigInt(bytes.length), 0)
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8)
  framed.set(bytes, 12)
  framed.writeUInt32LE(maskedCrc32c(bytes), 12 + bytes.length)
  return framed
}

/** The specification as protobuf text. */
export function formatMetadata(spec: DatasetSpec): string {
  const lines = [
    `is_sequence: ${spec.isSequence}`,
    `sample_count: ${spec.sampleCount}`,
    `sequence_size: ${spec.sequenceSize}`,
    `output_dim: ${spec.outputDim}`,
  ]
  for (const matrix of spec.matrices) {
    lines.push(
      'matrix_spec {',
      `  col_count: ${matrix.cols}`,
      `  row_count: ${matrix.rows}`,
      `  is_sequence_col: ${matrix.isSequenceCol}`,
      `  is_sequence_row: ${matrix.isSequenceRow}`,
      `  has_locality_col: ${matrix.hasLocalityCol}`,
      `  has_locality_row: ${matrix.hasLocalityRow}`,
      `  format: ${matrix.format}`,
      '  is_sparse: false',
      `  num_channels: ${matrix.channels}`,
      '}',
    )
  }
  const entry = (field: string, key: string, value: number): void => {
    lines.push(`${field} {`, `  key: ${quote(key)}`, `  value: ${value}`, '}')
  }
  spec.labelNames.forEach((name, index) => {
    if (name !== '') entry('label_to_index_map', name, index)
  })
  for (const [name, index] of spec.featureNames) entry('feature_to_index_map', name, index)
  spec.vocabulary.forEach((token, index) => {
    if (token !== undefined) entry('channel_to_index_map', token, index)
  })
  return `${lines.join('\n')}\n`
}

/** Single quotes, as Python's repr writes them; control characters as octal bytes. */
function quote(text: string): string {
  const escaped = [...text].map((character) => {
    if (character === '\\' || character === "'") return `\\${character}`
    const code = character.codePointAt(0)!
    return code < 32 || code === 127 ? `\\${code.toString(8).padStart(3, '0')}` : character
  })
  return `'${escaped.join('')}'`
}

/** A line per example, K scores each. */
export function formatSolution(examples: readonly ExampleToWrite[], outputDim: number): string {
  const lines = examples.map(({ labels }) => {
    const row = new Array<number>(outputDim).fill(0)
    for (const label of labels) {
      if (typeof label === 'number') row[label] = 1
      else row[label.index] = label.score
    }
    return row.join(' ')
  })
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
