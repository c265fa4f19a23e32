// Front-end outputs of many rows as one float32 matrix, gathered in chunks small enough for a slice to end in between.
import type { SplitName } from '../../dataset/batch.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { FrontEnd, TrialContext } from '../family.ts'
import type { FitProgress } from './train-classical.ts'

export interface FeatureMatrix {
  /** [rows.length, width] row-major */
  x: Float32Array
  width: number
}

/** Input values per chunk: about 50 ms of decoding and feature extraction. */
const CHUNK_VALUES = 2 ** 20

/** Bytes kept as uint8 come back as value / 255. */
export async function* collectFeatures(
  trial: TrialContext,
  front: FrontEnd,
  split: SplitName,
  rows: Int32Array,
): AsyncGenerator<FitProgress, FeatureMatrix, void> {
  const width = widthOf(front)
  const x = new Float32Array(rows.length * width)
  const chunk = chunkRows(trial.profile)
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk)
    const values = await trial.data.features(front, split, part)
    if (values instanceof Uint8Array)
      for (let i = 0, at = from * width; i < values.length; i++) x[at++] = values[i] / 255
    else x.set(values, from * width)
    if (from + chunk < rows.length) yield { done: from + part.length, of: rows.length, note: 'features' }
  }
  return { x, width }
}

export function widthOf(front: FrontEnd): number {
  return front.shape.reduce((product, size) => product * size, 1)
}

/** Rows read or transformed between two safe points. */
export function chunkRows(profile: TaskProfile): number {
  const perRow = profile.matrices.reduce(
    (sum, { steps, rows, cols, channels }) => sum + steps.median * rows.median * cols.median * channels,
    0,
  )
  return Math.max(4, Math.min(1024, Math.floor(CHUNK_VALUES / Math.max(1, perRow))))
}

/** At most `most` of `rows`, evenly spread over them (rows of one class may lie together). */
export function thin(rows: Int32Array, most: number): Int32Array {
  if (rows.length <= most) return rows
  const count = Math.max(1, Math.floor(most))
  return Int32Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)])
}
