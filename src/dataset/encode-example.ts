// One example -> the bytes of a tf.train.SequenceExample, in any of the spellings that readers must accept.
import type { DatasetSpec } from './spec.ts'

/** A class index (score 1), or an index with its score. */
export type LabelToWrite = number | { index: number; score: number }

/** Nonzero entries of one sparse matrix. */
export interface SparseEntries {
  rows: readonly number[]
  cols: readonly number[]
  /** Left out of the record when absent. */
  channels?: readonly number[]
  values: readonly number[]
}

/** What a matrix of an example holds, by its format: DENSE steps of values, COMPRESSED pictures, SPARSE entries. */
export type MatrixToWrite = readonly ArrayLike<number>[] | readonly Uint8Array[] | SparseEntries

export interface ExampleToWrite {
  /** null: the record has no id. @default counted */
  id?: number | null
  labels: readonly LabelToWrite[]
  matrices: readonly MatrixToWrite[]
}

export interface EncodeOptions {
  /** false: one tag per value, as old writers do. @default true */
  packed?: boolean
  /** DENSE and SPARSE values as int64 lists. @default false */
  integers?: boolean
  /** Feature lists before the context: legal, if unusual. @default false */
  contextLast?: boolean
}

export function encodeExample(spec: DatasetSpec, example: ExampleToWrite, options: EncodeOptions = {}): Buffer {
  const packed = options.packed !== false
  const features: [string, Buffer][] = []
  if (example.id !== undefined && example.id !== null) features.push(['id', intFeature([example.id], packed)])
  const index = example.labels.map((label) => (typeof label === 'number' ? label : label.index))
  const score = example.labels.map((label) => (typeof label === 'number' ? 1 : label.score))
  features.push(['label_index', intFeature(index, packed)], ['label_score', floatFeature(score, packed)])
  const lists = spec.matrices.flatMap((matrix, i) =>
    matrixLists(matrix.format, i, example.matrices[i], packed, options),
  )
  const context = field(1, Buffer.concat(features.map(([key, value]) => mapEntry(key, value))))
  const featureLists = field(2, Buffer.concat(lists.map(([key, value]) => mapEntry(key, value))))
  return Buffer.concat(options.contextLast ? [featureLists, context] : [context, featureLists])
}

function matrixLists(
  format: string,
  i: number,
  matrix: MatrixToWrite,
  packed: boolean,
  options: EncodeOptions,
): [string, Buffer][] {
  if (!Array.isArray(matrix)) {
    const { rows, cols, channels, values } = matrix as SparseEntries
    const list = (part: string, feature: Buffer): [string, Buffer] => [`${i}_sparse_${part}`, field(1, feature)]
    return [
      list('row_index', intFeature(rows, packed)),
      list('col_index', intFeature(cols, packed)),
      ...(channels === undefined ? [] : [list('channel_index', intFeature(channels, packed))]),
      list('value', (options.integers ? intFeature : floatFeature)(values, packed)),
    ]
  }
  if (format === 'COMPRESSED') {
    const pictures = (matrix as Uint8Array[]).map((bytes) => field(1, field(1, field(1, bytes))))
    return [[`${i}_compressed`, Buffer.concat(pictures)]]
  }
  const feature = options.integers ? intFeature : floatFeature
  const steps = (matrix as ArrayLike<number>[]).map((values) => field(1, feature(values, packed)))
  return [[`${i}_dense_input`, Buffer.concat(steps)]]
}

function floatFeature(values: ArrayLike<number>, packed: boolean): Buffer {
  const floats = Float32Array.from(values)
  const bytes = Buffer.from(floats.buffer)
  if (packed) return field(2, field(1, bytes))
  const single = Array.from(floats, (_, i) => Buffer.concat([Buffer.of(0x0d), bytes.subarray(i * 4, i * 4 + 4)]))
  return field(2, Buffer.concat(single))
}

function intFeature(values: ArrayLike<number>, packed: boolean): Buffer {
  const varints = Array.from(values, varint)
  if (packed) return field(3, field(1, Buffer.concat(varints)))
  return field(3, Buffer.concat(varints.map((bytes) => Buffer.concat([Buffer.of(0x08), bytes]))))
}

function mapEntry(key: string, value: Uint8Array): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]))
}

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes])
}

/** int64; negatives take ten bytes. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 128 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}
