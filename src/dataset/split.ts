// One split of a dataset: an index over its shards, ids and labels from one cheap pass over the records' beginnings, and
// matrices of any rows on demand. Memory follows what is asked for, never the size of the files.
import { DataError } from '../support/errors.ts'
import type { MatrixBatch, SplitName } from './batch.ts'
import { ContextScan, type LabelLists } from './context-scan.ts'
import { readDenseRows, type ValueCounts } from './read-dense.ts'
import { readDenseExcerpts } from './read-excerpts.ts'
import type { UnreadableRows } from './read-pictures.ts'
import { readSparseRows, type SparseExtent } from './read-sparse.ts'
import { checkRows } from './rows.ts'
import type { DatasetSpec } from './spec.ts'
import { closeRecords, indexRecords, type RecordIndex } from './tfrecord.ts'
import { findTwins } from './twins.ts'
import type { Wire } from './wire.ts'

export interface Split {
  readonly name: SplitName
  readonly count: number
  /** [count]; examples without one are numbered as the public files do (test from 0, training after them). */
  readonly ids: Float64Array
  /** [count, K], row-major, built at first use. Test labels are never read: empty there. */
  readonly labels: Float32Array
  /** The same, sparse: example i has classes index[start[i] .. start[i + 1]) with their scores. */
  readonly labelLists: LabelLists
  /** [count] the first example with the same matrices and labels as each; null: none has a twin, or they are too many to look. */
  twins(): Int32Array | null
  /** Per matrix: NaN and infinite values among the `rows` different rows read so far. */
  readonly oddValues: readonly { nan: number; infinite: number; rows: number }[]
  /** Bytes of all records. */
  readonly recordBytes: number
  /** Rows whose pictures turned out unreadable, among those read so far; they read as black. */
  readonly unreadable: UnreadableRows
  /**
   * Matrix `matrix` of `rows`, in their order, repeats allowed. Infinite values read as NaN.
   * @param steps of COMPRESSED matrices: only so many pictures of each example, chosen by middle-steps.ts; of
   *   DENSE ones with rows and columns fixed: at most so many steps of each, those in its middle (excerpt.ts)
   * @throws DATA_RECORD, DATA_PICTURE
   */
  read(rows: Int32Array, matrix?: number, steps?: number): Promise<MatrixBatch>
  /**
   * [rows.length, 4] steps, rows, cols and channels of COMPRESSED examples as `read` gives them whole, by the headers of their
   * pictures: none is decoded.
   * @throws DATA_RECORD
   */
  pictureShapes(rows: Int32Array, matrix: number): Promise<Int32Array>
  close(): void
}

/** What `openSplit` gives to its dataset besides the split. */
export interface OpenSplit {
  split: Split
  index: RecordIndex
  /** Sizes of SPARSE matrices, filled in by the dataset before the first read. */
  extents: (SparseExtent | null)[]
  /** Whether every record has an id; `split.ids` is NaN where not. */
  allIds: boolean
}

/** @param buffer from `scanBuffer`. @throws DATA_MISSING, DATA_RECORD, DATA_LABEL, DATA_MISMATCH */
export function openSplit(name: SplitName, files: readonly string[], spec: DatasetSpec, buffer: Wire): OpenSplit {
  const scan = new ContextScan(name === 'train', spec.outputDim)
  const index = indexRecords(files, buffer, scan)
  try {
    scan.finish(index)
    checkCount(index, spec, name)
    checkLabels(index, spec, name)
  } catch (error) {
    closeRecords(index)
    throw error
  }
  const extents: (SparseExtent | null)[] = spec.matrices.map(() => null)
  const counts = spec.matrices.map(
    (): ValueCounts => ({ nan: 0, infinite: 0, rows: 0, seen: new Uint8Array(index.count) }),
  )
  const unreadable: UnreadableRows = new Map()
  const labelLists = scan.lists()
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
    twins: () => findTwins(index, labelLists),
    oddValues: counts,
    recordBytes: index.recordBytes,
    async read(rows, matrix = 0, steps) {
      checkRows(rows, index.count)
      const { format } = spec.matrices[matrix]
      switch (format) {
        case 'DENSE':
          return steps === undefined
            ? readDenseRows(index, spec, matrix, rows, counts[matrix])
            : readDenseExcerpts(index, spec, matrix, rows, counts[matrix], steps)
        case 'SPARSE':
          return readSparseRows(index, matrix, extents[matrix]!, rows, counts[matrix])
        case 'COMPRESSED': {
          const { readPictureRows } = await import('./read-pictures.ts')
          return readPictureRows(index, spec, matrix, rows, unreadable, steps)
        }
        default:
          throw format satisfies never
      }
    },
    async pictureShapes(rows, matrix) {
      checkRows(rows, index.count)
      const { readPictureShapes } = await import('./read-pictures.ts')
      return readPictureShapes(index, spec, matrix, rows)
    },
    close: () => closeRecords(index),
  }
  return { split, index, extents, allIds: scan.allIds }
}

/** Labels are held as a number for each class: 4 GiB at most. */
const MAX_LABELS = 2 ** 30

function checkLabels(index: RecordIndex, spec: DatasetSpec, name: SplitName): void {
  const { outputDim } = spec
  if (index.count * outputDim <= MAX_LABELS) return
  throw new DataError('DATA_METADATA', {
    file: `${name}/metadata.textproto`,
    field: 'output_dim',
    value: outputDim,
    rule: `times the number of records (${index.count}) must be at most ${MAX_LABELS}`,
  })
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
