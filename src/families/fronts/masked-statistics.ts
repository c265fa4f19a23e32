// Summaries of sequences along their last axis, blind to padding: what linear heads see of sound and series. Every statistic is
// finite for every length from 1 up.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  abs,
  add,
  cast,
  concat,
  dimOf,
  div,
  matmul,
  maximum,
  mul,
  range,
  reduceMax,
  reduceMin,
  reduceSum,
  relu,
  reshape,
  slice,
  sqrt,
  squeeze,
  sub,
  transpose,
  where,
} from '../../graph/functions.ts'

export interface Sequence {
  /** [n, c, t] float32 */
  values: Value
  /** [n, 1, 1] float32 valid steps, at least 1; [1, 1, 1] when all examples share it. */
  valid: Value
  /** [n, 1, t] or [1, 1, t] bool, true at valid steps; null: all are. */
  inside: Value | null
}

const FAR = 1e30

/** [n, c, 1] mean over valid steps. */
export function maskedMean(g: GraphBuilder, { values, valid, inside }: Sequence): Value {
  const kept = inside ? where(g, inside, values, 0) : values
  return div(g, reduceSum(g, kept, [2], true), valid)
}

/** [n, c, 1] standard deviation (population) over valid steps around `mean`. */
export function maskedDeviation(g: GraphBuilder, sequence: Sequence, mean: Value): Value {
  const delta = sub(g, sequence.values, mean)
  return sqrt(g, add(g, maskedMean(g, { ...sequence, values: mul(g, delta, delta) }), 1e-12))
}

/** [n, c, 1] each. */
export function maskedExtremes(g: GraphBuilder, { values, inside }: Sequence): { min: Value; max: Value } {
  return {
    min: reduceMin(g, inside ? where(g, inside, values, FAR) : values, [2], true),
    max: reduceMax(g, inside ? where(g, inside, values, -FAR) : values, [2], true),
  }
}

/** Step-to-step differences, [n, c, t - 1]; the sequence is padded by one step so that t = 1 has one difference, which is masked. */
export function differences(g: GraphBuilder, { values, valid, inside }: Sequence): Sequence {
  const first = slice(g, values, 2, 0, 1)
  const earlier = concat(g, [first, slice(g, values, 2, 0, -1)], 2)
  // The first difference is 0 by construction; it is counted in the mean only when there is no other.
  return { values: sub(g, values, earlier), valid: maximum(g, sub(g, valid, 1), 1), inside }
}

/** [n, c, 1] mean absolute step. */
export function meanAbsolute(g: GraphBuilder, sequence: Sequence): Value {
  return maskedMean(g, { ...sequence, values: abs(g, sequence.values) })
}

/**
 * [n, c, parts]: means under overlapping triangular windows whose centres divide the valid steps evenly, so that short sequences
 * share steps instead of leaving parts empty.
 */
export function segmentMeans(g: GraphBuilder, { values, valid, inside }: Sequence, parts: number): Value {
  const steps = cast(g, range(g, 0, squeeze(g, dimOf(g, values, 2), [0])), 'float32')
  const position = mul(g, div(g, add(g, reshape(g, steps, [1, 1, -1]), 0.5), valid), parts)
  const centres = g.constant(
    Float32Array.from({ length: parts }, (_, i) => i + 0.5),
    [1, parts, 1],
  )
  // A trace of every step keeps windows of very short sequences from being empty.
  const triangle = add(g, relu(g, sub(g, 1, abs(g, sub(g, position, centres)))), 1e-4)
  const weights = inside ? where(g, inside, triangle, 0) : triangle
  const sums = matmul(g, inside ? where(g, inside, values, 0) : values, transpose(g, weights, [0, 2, 1]))
  return div(g, sums, transpose(g, reduceSum(g, weights, [2], true), [0, 2, 1]))
}
