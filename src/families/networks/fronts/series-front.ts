// Series as networks take them: [channels, steps] of a fixed length, float32. The time axis is the steps of a sequence, or the
// longer axis of a single matrix; everything else is channels. Each example is stretched linearly from its own length.
import type { TaskProfile } from '../../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../../graph/builder.ts'
import { add, cast, floor, mul, reshape, sub, transpose, unsqueeze, where } from '../../../graph/functions.ts'
import type { FrontEnd, ModelInput } from '../../family.ts'

export interface SeriesSize {
  channels: number
  steps: number
}

/** Whether time runs along the rows or columns of one matrix instead of along the steps. */
function timeAxis(profile: TaskProfile, matrix: number): 1 | 2 | 3 {
  const { steps, rows, cols } = profile.matrices[matrix]
  if (steps.max > 1) return 1
  return rows.max >= cols.max ? 2 : 3
}

/** Native length when it does not vary and is short enough; else close to the median. */
export function seriesSize(profile: TaskProfile, maxSteps: number, matrix = 0): SeriesSize {
  const about = profile.matrices[matrix]
  const axis = timeAxis(profile, matrix)
  const along = axis === 1 ? about.steps : axis === 2 ? about.rows : about.cols
  const across = [about.steps.max, about.rows.max, about.cols.max].reduce(
    (size, dim, i) => (i + 1 === axis ? size : size * dim),
    1,
  )
  const steps = along.min === along.max ? along.max : Math.max(16, Math.round(along.median))
  return { channels: across * about.channels, steps: Math.max(2, Math.min(maxSteps, steps)) }
}

/** Shape [channels, steps]. Null when more than the time axis varies. */
export function seriesFront(profile: TaskProfile, maxSteps: number, matrix = 0): FrontEnd | null {
  const about = profile.matrices[matrix]
  const axis = timeAxis(profile, matrix)
  for (const [i, extent] of [about.steps, about.rows, about.cols].entries()) {
    if (i + 1 !== axis && extent.min !== extent.max) return null
  }
  const { channels, steps } = seriesSize(profile, maxSteps, matrix)
  const fill = Number.isFinite(about.values.mean) ? Math.fround(about.values.mean) : 0
  return {
    key: `series:${matrix}:${axis}:${channels}x${steps}:${fill}`,
    base: null,
    shape: [channels, steps],
    store: 'float32',
    build(g, _x, inputs) {
      const x = timeFirst(g, inputs[matrix], axis, channels)
      const whole = where(g, g.op('IsNaN', [x]), fill, x)
      return transpose(g, stretch(g, whole, axis === 1 ? inputs[matrix].length : null, steps), [0, 2, 1])
    },
  }
}

/** [n, time, channels] */
function timeFirst(g: GraphBuilder, { matrix }: ModelInput, axis: 1 | 2 | 3, channels: number): Value {
  const [n, , , ,] = matrix.shape
  const others = [1, 2, 3].filter((a) => a !== axis)
  return reshape(g, transpose(g, matrix, [0, axis, ...others, 4]), [n, -1, channels])
}

/** [n, time, channels] -> [n, steps, channels] by linear interpolation between valid steps 0 .. length - 1. */
function stretch(g: GraphBuilder, x: Value, length: Value | null, steps: number): Value {
  const [n, time, channels] = x.shape
  if (length === null && time === steps) return x
  const ramp = g.constant(
    Float32Array.from({ length: steps }, (_, i) => i / (steps - 1)),
    [1, steps],
  )
  const count =
    length ?? g.op('Expand', [g.op('Shape', [x], { start: 1, end: 2 }), g.op('Shape', [x], { start: 0, end: 1 })])
  const last = g.op('Max', [sub(g, unsqueeze(g, cast(g, count, 'float32'), [1]), 1), g.scalar(0)])
  const position = mul(g, last, ramp)
  const before = floor(g, position)
  const after = g.op('Min', [add(g, before, 1), last])
  const share = unsqueeze(g, sub(g, position, before), [2])
  const at = (index: Value) => g.op('GatherND', [x, unsqueeze(g, cast(g, index, 'int64'), [2])], { batch_dims: 1 })
  const left = at(before)
  return g.refine(add(g, left, mul(g, sub(g, at(after), left), share)), [n, steps, channels])
}
