// A matrix of the specification as a multichannel sequence [n, channels, steps], whichever axis the time runs along: the example's
// own steps, or the rows or columns of a single step that are declared (or shaped) as a sequence.
import type { MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder } from '../../graph/builder.ts'
import { cast, clip, dimOf, less, mul, range, reshape, squeeze, transpose, where } from '../../graph/functions.ts'
import type { ModelInput } from '../family.ts'
import type { Sequence } from './masked-statistics.ts'

export type TimeAxis = 'steps' | 'rows' | 'cols'

export function timeAxis(matrix: MatrixProfile): TimeAxis {
  const { spec, steps, rows, cols } = matrix
  if (steps.max > 1) return 'steps'
  if (spec.isSequenceRow !== spec.isSequenceCol) return spec.isSequenceRow ? 'rows' : 'cols'
  return rows.max >= cols.max ? 'rows' : 'cols'
}

/** Channels of a sequence along its time axis. The other axes must be of one size. */
export function seriesChannels(matrix: MatrixProfile): number {
  const { rows, cols, channels } = matrix
  switch (timeAxis(matrix)) {
    case 'steps':
      return rows.max * cols.max * channels
    case 'rows':
      return cols.max * channels
    case 'cols':
      return rows.max * channels
  }
}

/** Squares of larger values, and sums of them, would leave float32. */
const LARGEST = 1e15
/** Below this amplitude the small constants that guard divisions and roots would be felt. */
const SMALL = 1e-2

/** A power of two that brings small units (fields in tesla, say) to an amplitude about 1. */
function unitOf({ values: { min, max } }: MatrixProfile): number {
  const amplitude = Math.max(Math.abs(min), Math.abs(max))
  return amplitude > 0 && amplitude < SMALL ? 2 ** -Math.max(-120, Math.floor(Math.log2(amplitude))) : 1
}

/** Missing values become 0; the data's small units are enlarged, and what is beyond all units is cut. */
export function seriesView(g: GraphBuilder, profile: TaskProfile, input: ModelInput, matrix: number): Sequence {
  const about = profile.matrices[matrix]
  const axis = timeAxis(about)
  const channels = seriesChannels(about)
  const x = input.matrix
  const [, t, r, c] = x.shape
  const steps = axis === 'steps' ? t : axis === 'rows' ? r : c
  const byTime = axis === 'cols' ? transpose(g, x, [0, 3, 1, 2, 4]) : x
  const flat = reshape(g, byTime, [-1, steps, channels])
  const unit = unitOf(about)
  const known = where(g, g.op('IsNaN', [flat]), 0, flat)
  const scaled = clip(g, unit === 1 ? known : mul(g, known, unit), -LARGEST, LARGEST)
  const values = transpose(g, scaled, [0, 2, 1])
  const at = axis === 'steps' ? 1 : axis === 'rows' ? 2 : 3
  if (input.length === null || axis !== 'steps') {
    return { values, valid: reshape(g, cast(g, dimOf(g, x, at), 'float32'), [1, 1, 1]), inside: null }
  }
  const valid = clip(g, reshape(g, cast(g, input.length, 'float32'), [-1, 1, 1]), 1, null)
  const positions = cast(g, range(g, 0, squeeze(g, dimOf(g, x, at), [0])), 'float32')
  return { values, valid, inside: less(g, reshape(g, positions, [1, 1, -1]), valid) }
}
