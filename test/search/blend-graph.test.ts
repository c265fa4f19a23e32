// The published graph gives what the ensemble computed in JavaScript: means, and rank maps over scores of every size.
import { describe, expect, it } from 'vitest'
import type { TaskProfile } from '../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { sharpen } from '../../src/metrics/sharpness.ts'
import { blendGraph } from '../../src/search/blend-graph.ts'
import { type BlendMember, blendScores } from '../../src/search/ensemble.ts'
import { declareInputs } from '../../src/search/model-graph.ts'
import { fitQuantileMap } from '../../src/search/quantile-map.ts'
import { Rng } from '../../src/support/rng.ts'

const K = 3
const extent = (n: number) => ({ min: n, median: n, max: n })
const profile = {
  classCount: K,
  spec: { sequenceSize: 1 },
  matrices: [
    { fixed: true, rows: extent(1), cols: extent(K), steps: extent(1), channels: 1, spec: { rows: 1, cols: K } },
  ],
} as unknown as TaskProfile

/** softmax(scale * x) */
function memberGraph(scale: number): Graph {
  const g = new GraphBuilder()
  const [{ matrix }] = declareInputs(g, profile)
  const x = g.op('Reshape', [matrix, g.ints([0, K])])
  g.output('scores', g.op('Softmax', [g.op('Mul', [x, g.scalar(scale)])], { axis: -1 }))
  return g.build()
}

async function run(graph: Graph, x: Float32Array): Promise<Float32Array> {
  const engine = createOnnxEngine({ threads: 1 })
  const executable = await engine.compile(graph)
  const feeds = { matrix_0: { type: 'float32' as const, shape: [x.length / K, 1, 1, K, 1], data: x } }
  const { scores } = await executable.run(feeds)
  await engine.close()
  return Float32Array.from(scores.data as Float32Array)
}

describe('blendGraph', () => {
  it.each([
    ['probabilities', false, [1, 1]],
    ['probabilities made sharper and flatter', false, [3.3, 0.55]],
    ['ranks', true, [1, 1]],
    ['ranks of sharper ones', true, [2.5, 1]],
  ])('blends %s as blendScores does', async (_, ranked, sharpness) => {
    const rng = Rng.fromSeed(4)
    const x = Float32Array.from({ length: 200 * K }, () => rng.normal())
    // The second member is so sure of itself that its scores crowd near 0 and 1.
    const graphs = [memberGraph(0.5), memberGraph(15)]
    const scores = await Promise.all(graphs.map((graph) => run(graph, x)))
    const members: BlendMember[] = scores.map((each, i) => ({
      member: `m${i}`,
      weight: [0.3, 0.7][i],
      sharpness: sharpness[i],
      map: ranked ? fitQuantileMap(sharpen(each, K, sharpness[i]).subarray(0, 100 * K), K) : null,
    }))
    const expected = blendScores({ members }, (name) => scores[Number(name[1])], K)
    const received = await run(blendGraph(members, graphs, profile), x)
    expect(Math.max(...received.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(2e-5)
    expect(Math.max(...expected)).toBeGreaterThan(0.9)
  })

  it('is the member itself when there is one', () => {
    const graph = memberGraph(1)
    expect(blendGraph([{ member: 'm', weight: 1, sharpness: 1, map: null }], [graph], profile)).toBe(graph)
  })
})
