// Sequences of any length brought to a fixed number of steps. Between two steps a sequence runs straight. One that is at least twice as
// long as asked for is averaged over equal parts instead: read at single steps, what is quick would come back as something slow (aliasing).
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import {
  add,
  cast,
  concat,
  cumSum,
  div,
  expand,
  floor,
  greaterOrEqual,
  minimum,
  mul,
  pad,
  reshape,
  slice,
  sub,
  where,
} from '../../graph/functions.ts'
import { maskedMean, type Sequence } from './masked-statistics.ts'

/** Steps in for each step out from which parts are averaged. */
const AVERAGED = 2

/** -> [n, c, steps], steps at least 2. What has so many steps stays as it is. */
export function stretch(g: GraphBuilder, sequence: Sequence, steps: number): Value {
  const { values, valid, inside } = sequence
  const length = inside === null ? values.shape[2] : null
  if (length === steps) return values
  const between = () => readEvenly(g, values, sub(g, valid, 1), steps)
  if (typeof length === 'number') return length < AVERAGED * steps ? between() : partMeans(g, sequence, steps)
  return where(g, greaterOrEqual(g, valid, AVERAGED * steps), partMeans(g, sequence, steps), between())
}

/** [n, c, parts]: means over equal parts of the valid steps; a step that lies in two parts counts in each by its share. */
export function partMeans(g: GraphBuilder, sequence: Sequence, parts: number): Value {
  const { values, valid, inside } = sequence
  const mean = maskedMean(g, sequence)
  // Around the mean, so that running sums stay small and their differences exact.
  const centred = sub(g, values, mean)
  const sums = cumSum(g, pad(g, inside ? where(g, inside, centred, 0) : centred, [0, 0, 1, 0, 0, 0]), 2)
  const atBounds = readEvenly(g, sums, valid, parts + 1)
  const within = sub(g, slice(g, atBounds, 2, 1, null), slice(g, atBounds, 2, 0, -1))
  return add(g, mean, div(g, mul(g, within, parts), valid))
}

/** values [n, c, t] read at `count` places evenly from step 0 to step `last` [n or 1, 1, 1], on straight lines -> [n, c, count] */
function readEvenly(g: GraphBuilder, values: Value, last: Value, count: number): Value {
  const channels = values.shape[1]
  const fractions = Float32Array.from({ length: count }, (_, i) => i / (count - 1))
  // [n or 1, 1, count] places to read from
  const place = mul(g, last, g.constant(fractions, [1, 1, count]))
  const low = floor(g, place)
  const high = minimum(g, add(g, low, 1), last)
  const all = concat(g, [g.op('Shape', [values], { start: 0, end: 2 }), g.ints([count])], 0)
  const read = (at: Value) => g.op('GatherElements', [values, expand(g, cast(g, at, 'int64'), all)], { axis: 2 })
  const before = read(low)
  const between = add(g, before, mul(g, sub(g, read(high), before), sub(g, place, low)))
  return reshape(g, between, [-1, channels, count])
}
