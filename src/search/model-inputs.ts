// Raw examples as model inputs: `matrix_<i>` float32 [n, t, rows, cols, channels] and `length_<i>` int64 [n]. Examples of one
// tensor must agree in rows and cols, and in steps unless those may be padded; so rows are read in chunks, grouped by size, and
// fed in batches of bounded memory.
import type { DenseBatch, MatrixBatch, SparseBatch, SplitName } from '../dataset/batch.ts'
import type { MatrixProfile, TaskProfile } from '../dataset/profile.ts'
import type { Tensor } from '../engine/engine.ts'
import { conformPictures } from './conform-pictures.ts'
import { stepsVary } from './model-graph.ts'

/** `steps`: only so many pictures of each example, as `Split.read` says. */
export type ReadRaw = (split: SplitName, rows: Int32Array, matrix: number, steps?: number) => Promise<MatrixBatch>

export interface FeedBatch {
  /** Which of the asked-for rows these are. */
  positions: Int32Array
  feeds: Record<string, Tensor>
}

export interface FeedOptions {
  /** Names of the inputs that are wanted: matrices that no one looks at are not read. */
  wanted: ReadonlySet<string>
  /** Examples per batch at most. */
  maxRows: number
  /** Only so many steps are wanted, chosen by middle-steps.ts; `profile` is of examples that have exactly these (seen-steps.ts). */
  steps?: number
  /** Pictures are fed as their bytes (the front graphs take them so), not as float32 x / 255. @default false */
  bytes?: boolean
}

/** Rows that are read at once; decoded, they stay below CHUNK_BYTES. */
const CHUNK_ROWS = 2048
const CHUNK_BYTES = 128e6
/** Of pictures: they are decoded in other threads while the chunk before is computed on. */
const PICTURE_CHUNK_BYTES = 24e6
/** Elements of one fed matrix. */
const BATCH_ELEMENTS = 2 ** 23
/** Sequences share a batch while padding makes the shortest at most this much longer. */
const PADDING = 1.25

/** All of `rows`, in batches whose order follows size, not position. */
export async function* feedBatches(
  read: ReadRaw,
  profile: TaskProfile,
  split: SplitName,
  rows: Int32Array,
  options: FeedOptions,
): AsyncGenerator<FeedBatch> {
  const matrices = profile.matrices
    .map((matrix, i) => ({ matrix, i }))
    .filter(({ i }) => options.wanted.has(`matrix_${i}`) || options.wanted.has(`length_${i}`))
  const pictures = matrices.some(({ matrix }) => matrix.spec.format === 'COMPRESSED')
  const perRow = profile.trainBytes / Math.max(1, profile.trainCount)
  const chunkBytes = pictures ? PICTURE_CHUNK_BYTES : CHUNK_BYTES
  const chunkRows = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(chunkBytes / Math.max(1, perRow))))
  const chunkAt = (from: number): Promise<MatrixBatch[]> => {
    const chunk = rows.subarray(from, from + chunkRows)
    return Promise.all(
      matrices.map(async ({ i, matrix }) => conformPictures(await read(split, chunk, i, options.steps), matrix)),
    )
  }
  let ahead: Promise<MatrixBatch[]> | null = null
  for (let from = 0; from < rows.length; from += chunkRows) {
    const chunk = rows.subarray(from, from + chunkRows)
    const batches = await (ahead ?? chunkAt(from))
    ahead = pictures && from + chunkRows < rows.length ? chunkAt(from + chunkRows) : null
    ahead?.catch(() => {}) // met when its turn comes
    const sizes = batches.map((batch, j) => sizesOf(batch, matrices[j].matrix))
    for (const members of groupBySize(sizes, chunk.length, stepsVary(profile), options.maxRows)) {
      const feeds: Record<string, Tensor> = {}
      for (const [j, { i }] of matrices.entries()) {
        if (options.wanted.has(`matrix_${i}`))
          feeds[`matrix_${i}`] = matrixTensor(batches[j], sizes[j], members, options.bytes === true)
        if (options.wanted.has(`length_${i}`)) feeds[`length_${i}`] = lengthTensor(sizes[j], members)
      }
      yield { positions: members.map((member) => from + member), feeds }
    }
  }
}

/** [b, 4] steps, rows, cols, channels of every example. */
function sizesOf(batch: MatrixBatch, matrix: MatrixProfile): Int32Array {
  if (batch.layout === 'dense') return batch.shapes
  const count = batch.indptr.length - 1
  const sizes = new Int32Array(count * 4)
  const one = [matrix.steps.max, matrix.rows.max, matrix.cols.max, matrix.channels]
  for (let i = 0; i < count; i++) sizes.set(one, i * 4)
  return sizes
}

/** Groups of positions that can be one batch. Equal sizes in every matrix; steps may differ a little when they can be padded. */
function groupBySize(sizes: readonly Int32Array[], count: number, padSteps: boolean, maxRows: number): Int32Array[] {
  const groups = new Map<string, number[]>()
  for (let i = 0; i < count; i++) {
    let key = ''
    for (const shape of sizes) {
      for (let d = padSteps ? 1 : 0; d < 4; d++) key += `${shape[i * 4 + d]},`
    }
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [i])
    else group.push(i)
  }
  const batches: Int32Array[] = []
  for (const group of groups.values()) {
    const steps = (i: number) => (sizes.length === 0 ? 0 : sizes[0][i * 4])
    if (padSteps) group.sort((a, b) => steps(a) - steps(b) || a - b)
    for (let from = 0; from < group.length; ) {
      const shortest = steps(group[from])
      let until = from + 1
      while (until < group.length && until - from < maxRows) {
        const longest = Math.max(1, steps(group[until]))
        if (padSteps && longest > Math.max(shortest * PADDING, shortest + 8)) break
        if ((until - from + 1) * elementsOf(sizes, group[until], longest) > BATCH_ELEMENTS) break
        until++
      }
      batches.push(Int32Array.from(group.slice(from, until)))
      from = until
    }
  }
  return batches
}

/** Of the largest matrix of example i, with its steps taken to be `steps`. */
function elementsOf(sizes: readonly Int32Array[], i: number, steps: number): number {
  let most = 1
  for (const shape of sizes) {
    most = Math.max(most, Math.max(1, steps) * shape[i * 4 + 1] * shape[i * 4 + 2] * shape[i * 4 + 3])
  }
  return most
}

function matrixTensor(batch: MatrixBatch, sizes: Int32Array, members: Int32Array, bytes: boolean): Tensor {
  const [, rows, cols, channels] = sizes.subarray(members[0] * 4, members[0] * 4 + 4)
  // An empty sequence is one step of zeros, with length 0: operators need something to stand on.
  let steps = 1
  for (const i of members) steps = Math.max(steps, sizes[i * 4])
  const size = steps * rows * cols * channels
  const shape = [members.length, steps, rows, cols, channels]
  const coded = bytes && batch.layout === 'dense' && batch.data instanceof Uint8Array
  const type = coded ? 'uint8' : 'float32'
  if (batch.layout === 'dense' && (coded || batch.data instanceof Float32Array)) {
    const whole = wholeBatch(batch, members, size)
    if (whole !== null) return { type, shape, data: whole }
  }
  const data = coded ? new Uint8Array(members.length * size) : new Float32Array(members.length * size)
  for (let j = 0; j < members.length; j++) {
    if (batch.layout === 'dense') copyDense(batch, members[j], data, j * size)
    else copySparse(batch, members[j], data as Float32Array, j * size)
  }
  return { type, shape, data }
}

/** The batch's own values when they are exactly what is asked for. */
function wholeBatch(batch: DenseBatch, members: Int32Array, size: number): Float32Array | Uint8Array | null {
  for (let j = 0; j < members.length; j++) {
    if (members[j] !== members[0] + j) return null
    if (batch.offsets[members[j] + 1] - batch.offsets[members[j]] !== size) return null
  }
  return batch.data.subarray(batch.offsets[members[0]], batch.offsets[members[0]] + members.length * size)
}

function copyDense(batch: DenseBatch, i: number, into: Float32Array | Uint8Array, at: number): void {
  const { data, offsets } = batch
  const from = offsets[i]
  const to = offsets[i + 1]
  if (data instanceof Float32Array || into instanceof Uint8Array) into.set(data.subarray(from, to), at)
  else for (let k = from; k < to; k++) into[at + k - from] = data[k] / 255
}

function copySparse(batch: SparseBatch, i: number, into: Float32Array, at: number): void {
  for (let k = batch.indptr[i]; k < batch.indptr[i + 1]; k++) into[at + batch.indices[k]] = batch.values[k]
}

function lengthTensor(sizes: Int32Array, members: Int32Array): Tensor {
  const data = BigInt64Array.from(members, (i) => BigInt(sizes[i * 4]))
  return { type: 'int64', shape: [members.length], data }
}
