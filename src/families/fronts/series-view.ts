// A matrix of the specification as a multichannel sequence [n, channels, steps], whichever axis the time runs along: the example's
// own steps, or the rows or columns of a single step that are declared (or shaped) as a sequence.
import type { MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  and,
  cast,
  clip,
  dimOf,
  div,
  greater,
  isNan,
  less,
  maximum,
  mul,
  not,
  range,
  reduceSum,
  reshape,
  slice,
  squeeze,
  transpose,
  where,
} from '../../graph/functions.ts'
import type { ModelInput } from '../family.ts'
import type { Sequence } from './masked-statistics.ts'

export type TimeAxis = 'steps' | 'rows' | 'cols'

/** Of a single step, the axis that is declared a sequence, else the one declared local, else the longer one. */
export function timeAxis(matrix: MatrixProfile): TimeAxis {
  const { spec, steps, rows, cols } = matrix
  if (steps.max > 1) return 'steps'
  // Flags on an axis of one entry say nothing.
  if (rows.max > 1 && cols.max > 1) {
    if (spec.isSequenceRow !== spec.isSequenceCol) return spec.isSequenceRow ? 'rows' : 'cols'
    if (spec.hasLocalityRow !== spec.hasLocalityCol) return spec.hasLocalityRow ? 'rows' : 'cols'
  }
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

/** The data's small units are enlarged, what is beyond all units is cut, and what is missing is filled. */
export function seriesView(g: GraphBuilder, profile: TaskProfile, input: ModelInput, matrix: number): Sequence {
  const about = profile.matrices[matrix]
  const axis = timeAxis(about)
  const channels = seriesChannels(about)
  // A matrix of one step may stand padded beside one of many.
  const x = axis === 'steps' || input.matrix.shape[1] === 1 ? input.matrix : slice(g, input.matrix, 1, 0, 1)
  const [, t, r, c] = x.shape
  const steps = axis === 'steps' ? t : axis === 'rows' ? r : c
  const byTime = axis === 'cols' ? transpose(g, x, [0, 3, 1, 2, 4]) : x
  const flat = transpose(g, reshape(g, byTime, [-1, steps, channels]), [0, 2, 1])
  const missing = isNan(g, flat)
  const unit = unitOf(about)
  const known = where(g, missing, 0, flat)
  const values = clip(g, unit === 1 ? known : mul(g, known, unit), -LARGEST, LARGEST)
  const fill = Math.max(-LARGEST, Math.min(LARGEST, unit * about.values.mean))
  const at = axis === 'steps' ? 1 : axis === 'rows' ? 2 : 3
  if (input.length === null || axis !== 'steps') {
    const valid = reshape(g, cast(g, dimOf(g, x, at), 'float32'), [1, 1, 1])
    return { values: filled(g, values, missing, null, fill), valid, inside: null }
  }
  const valid = clip(g, reshape(g, cast(g, input.length, 'float32'), [-1, 1, 1]), 1, null)
  const positions = cast(g, range(g, 0, squeeze(g, dimOf(g, x, at), [0])), 'float32')
  const inside = less(g, reshape(g, positions, [1, 1, -1]), valid)
  return { values: filled(g, values, missing, inside, fill), valid, inside }
}

/**
 * What is missing takes the mean of its channel's known valid steps in the same example: 0 could lie far from all of them.
 * @param values [n, c, t], 0 where missing @param missing [n, c, t] @param fill where nothing of a channel is known
 */
function filled(g: GraphBuilder, values: Value, missing: Value, inside: Value | null, fill: number): Value {
  const known = inside ? and(g, not(g, missing), inside) : not(g, missing)
  const count = reduceSum(g, cast(g, known, 'float32'), [2], true)
  const mean = div(g, reduceSum(g, inside ? where(g, inside, values, 0) : values, [2], true), maximum(g, count, 1))
  return where(g, missing, where(g, greater(g, count, 0), mean, fill), values)
}
