// Runs a graph node by node in float64, by definitions that share nothing with the engines: the truth of the conformance suite.
import type { ConstantData, DataType, Graph } from '../../../src/graph/graph.ts'
import { convolutionReference } from './convolution.ts'
import { elementwiseReference } from './elementwise.ts'
import { indexingReference } from './indexing.ts'
import { layoutReference } from './layout.ts'
import { matmulReference } from './matmul.ts'
import { normalizationReference } from './normalization.ts'
import { poolingReference } from './pooling.ts'
import { recurrentReference } from './recurrent.ts'
import { reductionReference } from './reduction.ts'
import { resizeReference } from './resize.ts'
import type { RefTable, RefTensor } from './tensor.ts'
import { treeReference } from './trees.ts'

export const referenceTable: RefTable = {
  ...elementwiseReference,
  ...reductionReference,
  ...layoutReference,
  ...indexingReference,
  ...resizeReference,
  ...matmulReference,
  ...convolutionReference,
  ...poolingReference,
  ...normalizationReference,
  ...recurrentReference,
  ...treeReference,
}

/** Outputs of `graph` by name. */
export function interpret(graph: Graph, feeds: Readonly<Record<string, RefTensor>>): Record<string, RefTensor> {
  const values = new Map<string, RefTensor>()
  for (const { name } of graph.inputs) {
    if (feeds[name] === undefined) throw new Error(`reference: input ${name} is not fed`)
    values.set(name, feeds[name])
  }
  for (const c of graph.initializers) values.set(c.name, toReference(c))
  for (const node of graph.nodes) {
    const op = referenceTable[node.op]
    if (op === undefined) throw new Error(`reference: no definition of ${node.op}`)
    const inputs = node.inputs.map((name) => (name === '' ? null : values.get(name)!))
    const results = [op({ inputs, attrs: node.attrs, outputCount: node.outputs.length })].flat()
    node.outputs.forEach((name, i) => {
      values.set(name, results[i])
    })
  }
  return Object.fromEntries(graph.outputs.map(({ name }) => [name, values.get(name)!]))
}

export function toReference(t: { type: DataType; shape: readonly number[]; data: ConstantData }): RefTensor {
  return { type: t.type, shape: t.shape, data: Float64Array.from(t.data as Float32Array, Number) }
}
