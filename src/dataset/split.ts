// One split of a dataset: an index over its shards, ids and labels from one cheap pass over the records' beginnings, and
// matrices of any rows on demand. Memory follows what is asked for, never the size of the files.
import { DataError } from '../support/errors.ts'
import type { MatrixBatch, SplitName } from './batch.ts'
import { type ExampleContext, emptyContext, readContext } from './context.ts'
import { readDenseRows, type ValueCounts } from './read-dense.ts'
import type { UnreadableRows } from './read-pictures.ts'
import { readSparseRows, type SparseExtent } from './read-sparse.ts'
import { recordError } from './rows.ts'
import type { DatasetSpec } from './spec.ts'
import { closeRecords, indexRecords, type RecordIndex, readRecords, recordPlace } from './tfrecord.ts'
import { type Wire, WireError, wireOver } from './wire.ts'

export interface Split {
  readonly name: SplitName
  readonly count: number
  /** [count]; examples without one are numbered as the public files do (test from 0, training after them). */
  readonly ids: Float64Array
  /** [count, K], row-major, built at first use. Test labels are never read: empty there. */
  readonly labels: Float32Array
  /** The same, sparse: example i has classes index[start[i] .. start[i + 1]) with their scores. */
  readonly labelLists: LabelLists
  /** Per matrix: NaN and infinite values among the `rows` different rows read so far. */
  readonly oddValues: readonly { nan: number; infinite: number; rows: number }[]
  /** Bytes of all records. */
  readonly recordBytes: number
  /** Rows whose pictures turned out unreadable, among those read so far; they read as black. */
  readonly unreadable: UnreadableRows
  /**
   * Matrix `matrix` of `rows`, in their order, repeats allowed. Infinite values read as NaN.
   * @throws DATA_RECORD, DATA_PICTURE
   */
  read(rows: Int32Array, matrix?: number): Promise<MatrixBatch>
  close(): void
}

export interface LabelLists {
  /** [count + 1] */
  start: Int32Array
  index: Int32Array
  score: Float32Array
}

/** What `openSplit` gives to its dataset besides the split. */
export interface OpenSplit {
  split: Split
  index: RecordIndex
  /** Sizes of SPARSE matrices, filled in by the dataset before the first read. */
  extents: (SparseExtent | null)[]
  /** Per row, NaN where the record has none. */
  storedIds: Float64Array
}

/** @throws DATA_MISSING, DATA_RECORD, DATA_LABEL, DATA_MISMATCH */
export function openSplit(name: SplitName, files: readonly string[], spec: DatasetSpec): OpenSplit {
  const scan = new ContextScan(name === 'train')
  let labelLists: LabelLists
  const index = indexRecords(files, (bytes, start, end, whole, record) => scan.visit(bytes, start, end, whole, record))
  try {
    scan.finish(index)
    checkCount(index, spec, name)
    labelLists = scan.lists()
    checkLabels(labelLists, index, spec)
  } catch (error) {
    closeRecords(index)
    throw error
  }
  const extents: (SparseExtent | null)[] = spec.matrices.map(() => null)
  const counts = spec.matrices.map(
    (): ValueCounts => ({ nan: 0, infinite: 0, rows: 0, seen: new Uint8Array(index.count) }),
  )
  const unreadable: UnreadableRows = new Map()
  let labels: Float32Array | null = null
  const split: Split = {
    name,
    count: index.count,
    ids: scan.ids.slice(0, index.count),
    labelLists,
    unreadable,
    get labels() {
      labels ??= name === 'train' ? denseLabels(labelLists, spec.outputDim) : new Float32Array(0)
      return labels
    },
    oddValues: counts,
    recordBytes: index.lengths.reduce((sum, length) => sum + length, 0),
    async read(rows, matrix = 0) {
      for (const row of rows)
        if (!(row >= 0 && row < index.count)) throw new RangeError(`no row ${row} among ${index.count}`)
      const { format } = spec.matrices[matrix]
      switch (format) {
        case 'DENSE':
          return readDenseRows(index, spec, matrix, rows, counts[matrix])
        case 'SPARSE':
          return readSparseRows(index, matrix, extents[matrix]!, rows, counts[matrix])
        case 'COMPRESSED': {
          const { readPictureRows } = await import('./read-pictures.ts')
          return readPictureRows(index, spec, matrix, rows, unreadable)
        }
        default:
          throw format satisfies never
      }
    },
    close: () => closeRecords(index),
  }
  return { split, index, extents, storedIds: split.ids }
}

/** Collects ids and labels while the index is made; records whose context lies further in are read afterwards. */
class ContextScan {
  ids = new Float64Array(1024)
  readonly #labelled: boolean
  #records = 0
  /** Labels in the order in which their records were seen. */
  #labels = 0
  #index = new Int32Array(1024)
  #score = new Float32Array(1024)
  /** [records] labels of each, and where they start above. */
  #counts = new Int32Array(1024)
  #starts = new Int32Array(1024)
  readonly #late: number[] = []
  readonly #context = emptyContext()
  /** The first fault waits until the index can name its place. */
  #fault: { record: number; error: unknown } | null = null
  #wire: Wire | null = null

  constructor(labelled: boolean) {
    this.#labelled = labelled
  }

  visit(bytes: Buffer, start: number, end: number, whole: boolean, record: number): void {
    if (this.#wire === null || this.#wire.bytes !== bytes) this.#wire = wireOver(bytes)
    this.#records = record + 1
    if (record === this.ids.length) {
      this.ids = grown(this.ids, new Float64Array(record * 2))
      this.#counts = grown(this.#counts, new Int32Array(record * 2))
      this.#starts = grown(this.#starts, new Int32Array(record * 2))
    }
    try {
      if (readContext(this.#wire, start, end, whole, this.#context)) this.#keep(record, this.#context)
      else this.#late.push(record)
    } catch (error) {
      this.#fault ??= { record, error }
    }
  }

  finish(index: RecordIndex): void {
    for (const group of readRecords(index, this.#late, true)) {
      const wire = wireOver(group.bytes)
      for (let i = 0; i < group.items.length; i++) {
        const record = this.#late[group.items[i]]
        try {
          readContext(wire, group.starts[i], group.ends[i], true, this.#context)
          this.#keep(record, this.#context)
        } catch (error) {
          this.#fault ??= { record, error }
        }
      }
    }
    if (this.#fault !== null) throw recordError(this.#fault.error, index, this.#fault.record, 'context')
  }

  #keep(record: number, context: ExampleContext): void {
    this.ids[record] = context.id
    if (!this.#labelled) return
    const { labelCount, labelIndex, labelScore, scoreCount } = context
    if (scoreCount !== labelCount && scoreCount !== 0) {
      throw new WireError(`label_score has ${scoreCount} entries; must be as many as label_index has (${labelCount})`)
    }
    while (this.#labels + labelCount > this.#index.length) {
      this.#index = grown(this.#index, new Int32Array(this.#index.length * 2))
      this.#score = grown(this.#score, new Float32Array(this.#score.length * 2))
    }
    this.#starts[record] = this.#labels
    this.#counts[record] = labelCount
    for (let i = 0; i < labelCount; i++) {
      this.#index[this.#labels] = labelIndex[i]
      this.#score[this.#labels++] = scoreCount === 0 ? 1 : labelScore[i]
    }
  }

  lists(): LabelLists {
    const start = new Int32Array(this.#records + 1)
    for (let i = 0; i < this.#records; i++) start[i + 1] = start[i] + this.#counts[i]
    if (this.#late.length === 0) {
      return { start, index: this.#index.subarray(0, this.#labels), score: this.#score.subarray(0, this.#labels) }
    }
    const index = new Int32Array(this.#labels)
    const score = new Float32Array(this.#labels)
    for (let i = 0; i < this.#records; i++) {
      const from = this.#starts[i]
      index.set(this.#index.subarray(from, from + this.#counts[i]), start[i])
      score.set(this.#score.subarray(from, from + this.#counts[i]), start[i])
    }
    return { start, index, score }
  }
}

function grown<A extends Int32Array | Float32Array | Float64Array>(from: A, to: A): A {
  to.set(from)
  return to
}

function checkCount(index: RecordIndex, spec: DatasetSpec, name: SplitName): void {
  if (index.count === spec.sampleCount) return
  throw new DataError('DATA_MISMATCH', {
    file: `${name}/metadata.textproto`,
    field: 'sample_count',
    value: spec.sampleCount,
    rule: `must equal the number of records in ${name}/sample* (${index.count})`,
    hint: 'a shard is missing, or the metadata are of another version of the data',
  })
}

function checkLabels(lists: LabelLists, records: RecordIndex, spec: DatasetSpec): void {
  const { start, index, score } = lists
  let record = 0
  for (let i = 0; i < index.length; i++) {
    while (start[record + 1] <= i) record++
    const fault = (field: string, value: unknown, rule: string) =>
      new DataError('DATA_LABEL', { ...recordPlace(records, record), field, value, rule })
    if (index[i] < 0 || index[i] >= spec.outputDim) {
      throw fault('label_index', index[i], `must be from 0 to output_dim - 1 = ${spec.outputDim - 1}`)
    }
    if (!(score[i] >= 0 && score[i] <= 1)) throw fault('label_score', score[i], 'must be from 0 to 1')
  }
}

function denseLabels(lists: LabelLists, outputDim: number): Float32Array {
  const count = lists.start.length - 1
  const labels = new Float32Array(count * outputDim)
  for (let i = 0; i < count; i++) {
    for (let j = lists.start[i]; j < lists.start[i + 1]; j++) {
      const at = i * outputDim + lists.index[j]
      labels[at] = Math.max(labels[at], lists.score[j])
    }
  }
  return labels
}
