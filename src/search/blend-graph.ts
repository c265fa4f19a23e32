// The published model: all members' graphs inside one, their scores blended as the ensemble says.
import type { TaskProfile } from '../dataset/profile.ts'
import { sharper } from '../families/common/calibration.ts'
import { GraphBuilder, type Value } from '../graph/builder.ts'
import { add, clip, mul, reduceSum, sub, unsqueeze } from '../graph/functions.ts'
import type { Graph } from '../graph/graph.ts'
import type { BlendMember } from './ensemble.ts'
import { declareInputs } from './model-graph.ts'
import type { QuantileMap } from './quantile-map.ts'

/** Model inputs -> `scores` [n, K]. `graphs`: the members' whole graphs, in their order. */
export function blendGraph(members: readonly BlendMember[], graphs: readonly Graph[], profile: TaskProfile): Graph {
  const [{ map, sharpness }] = members
  if (members.length === 1 && sharpness === 1 && map === null) return graphs[0]
  const g = new GraphBuilder()
  const feeds: Record<string, Value> = {}
  for (const { matrix, length } of declareInputs(g, profile)) {
    feeds[matrix.name] = matrix
    if (length !== null) feeds[length.name] = length
  }
  let sum: Value | null = null
  for (const [i, { weight, sharpness, map }] of members.entries()) {
    const scores = sharper(g, g.inline(graphs[i], feeds).scores, sharpness)
    const mapped = map === null ? scores : mapScores(g, scores, map, profile.classCount)
    const part = mul(g, mapped, weight)
    sum = sum === null ? part : add(g, sum, part)
  }
  g.output('scores', sum!)
  return g.build()
}

/** [n, K] -> [n, K]: sum_j rise_j clip((x - start_j) slope_j, 0, 1) */
function mapScores(g: GraphBuilder, scores: Value, map: QuantileMap, classCount: number): Value {
  const shape = [classCount, map.pieces]
  const centred = sub(g, unsqueeze(g, scores, [2]), g.constant(map.start, shape))
  const parts = clip(g, mul(g, centred, g.constant(map.slope, shape)), 0, 1)
  return reduceSum(g, mul(g, parts, g.constant(map.rise, shape)), [2])
}
