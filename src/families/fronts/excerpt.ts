// The graph's side of dataset/excerpt.ts: cuts whole sequences to their middles, and leaves alone what is no longer than those.
import { excerptStart } from '../../dataset/excerpt.ts'
import type { GraphBuilder } from '../../graph/builder.ts'
import { add, dimOf, div, maximum, minimum, range, slice, squeeze, sub, unsqueeze } from '../../graph/functions.ts'
import type { ModelInput } from '../family.ts'

/** [n, t, ...] -> [n, min(t, count), ...] and the valid steps of that. Steps past an example's length stay past it. */
export function takeExcerpt(g: GraphBuilder, { matrix, length }: ModelInput, count: number): ModelInput {
  if (length === null) {
    // Without lengths every example has as many steps as the specification says.
    const steps = matrix.shape[1] as number
    const first = excerptStart(steps, count)
    return { matrix: steps > count ? slice(g, matrix, 1, first, first + count) : matrix, length }
  }
  const first = div(g, maximum(g, sub(g, length, count), 0), 2)
  const held = minimum(g, squeeze(g, dimOf(g, matrix, 1), [0]), count)
  const indices = add(g, unsqueeze(g, first, [1]), range(g, 0, held))
  return {
    matrix: g.op('GatherND', [matrix, unsqueeze(g, indices, [2])], { batch_dims: 1 }),
    length: minimum(g, length, count),
  }
}
