// Decoded rows of all dense matrices as one table: what fitted fronts look at.
import type { SplitName } from '../../dataset/batch.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { TrialContext } from '../family.ts'

/** Values of an example over all matrices, when every example has as many; else null. */
export function tableWidth(profile: TaskProfile): number | null {
  let width = 0
  for (const { fixed, spec, steps, rows, cols, channels } of profile.matrices) {
    if (!fixed || spec.format !== 'DENSE') return null
    width += steps.max * rows.max * cols.max * channels
  }
  return width
}

/** [rows.length, tableWidth(profile)], missing values NaN. */
export async function rawTable(trial: TrialContext, split: SplitName, rows: Int32Array): Promise<Float32Array> {
  const { matrices } = trial.profile
  const width = tableWidth(trial.profile)
  if (width === null) throw new RangeError('rawTable: matrices must be dense and of one size')
  const table = new Float32Array(rows.length * width)
  let column = 0
  for (const [index, { steps, rows: rowCount, cols, channels }] of matrices.entries()) {
    const batch = await trial.data.raw(split, rows, index)
    if (batch.layout !== 'dense') throw new RangeError('rawTable: matrices must be dense')
    const size = steps.max * rowCount.max * cols.max * channels
    for (let i = 0; i < rows.length; i++) {
      const values = batch.data.subarray(batch.offsets[i], Math.min(batch.offsets[i + 1], batch.offsets[i] + size))
      table.set(values, i * width + column)
    }
    column += size
  }
  return table
}
