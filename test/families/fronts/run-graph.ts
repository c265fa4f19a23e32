// Runs a few lines of graph building on one tensor or several.
import type { Engine, Tensor } from '../../../src/engine/engine.ts'
import { GraphBuilder, type Value } from '../../../src/graph/builder.ts'
import type { Dim } from '../../../src/graph/dims.ts'

export interface Fed {
  /** Shape as declared: symbols where it may vary. */
  declared?: readonly Dim[]
  shape: readonly number[]
  data: Float32Array | BigInt64Array
}

export async function runGraph(
  engine: Engine,
  feeds: Record<string, Fed>,
  build: (g: GraphBuilder, values: Record<string, Value>) => Value,
): Promise<{ shape: readonly number[]; data: Float32Array }> {
  const g = new GraphBuilder()
  const type = (fed: Fed) => (fed.data instanceof Float32Array ? 'float32' : 'int64')
  const values: Record<string, Value> = {}
  const tensors: Record<string, Tensor> = {}
  for (const [name, fed] of Object.entries(feeds)) {
    values[name] = g.input(name, type(fed), fed.declared ?? fed.shape)
    tensors[name] = { type: type(fed), shape: fed.shape, data: fed.data }
  }
  g.output('out', build(g, values))
  const executable = await engine.compile(g.build())
  const { out } = await executable.run(tensors)
  await executable.release()
  return { shape: out.shape, data: out.data as Float32Array }
}
