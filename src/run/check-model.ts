// A last look at a model before it is published: its graph is run as a whole on a few test examples and must give the scores
// that are published with it.

import type { Engine } from '../engine/engine.ts'
import { createOnnxEngine } from '../engine/onnx/engine.ts'
import type { Graph } from '../graph/graph.ts'
import type { Probe } from '../search/messages.ts'

/** Scores agree to this, or relative to their size: float32 sums in another order differ by less. */
const TOLERANCE = 1e-3

let engine: Engine | null = null

/** What is wrong in words, or null. `scores`: [n, K] of the whole test split. */
export async function checkModel(
  graph: Graph,
  probes: readonly Probe[],
  scores: Float32Array,
  classCount: number,
): Promise<string | null> {
  if (probes.length === 0) return null
  // One thread: the workers need the cores.
  engine ??= createOnnxEngine({ threads: 1 })
  try {
    const executable = await engine.compile(graph)
    try {
      for (const { rows, feeds } of probes) {
        const wanted = Object.fromEntries(graph.inputs.map(({ name }) => [name, feeds[name]]))
        const output = (await executable.run(wanted)).scores.data as Float32Array
        for (const [i, row] of rows.entries()) {
          for (let k = 0; k < classCount; k++) {
            const expected = scores[row * classCount + k]
            const received = output[i * classCount + k]
            if (Math.abs(received - expected) <= TOLERANCE * Math.max(1, Math.abs(expected))) continue
            return `test example ${row}, class ${k}: the model gives ${received}, its predictions say ${expected}`
          }
        }
      }
      return null
    } finally {
      await executable.release()
    }
  } catch (error) {
    return (error as Error).message
  }
}
