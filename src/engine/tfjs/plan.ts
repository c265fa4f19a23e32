// What a graph becomes before it runs: one step per node with its kernel, the types of its results, and what nobody reads after it.
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import type { DataType, Graph, GraphNode, Initializer } from '../../graph/graph.ts'
import { lower } from '../../graph/lowering/lower.ts'
import { opSpec } from '../../graph/ops/table.ts'
import { unsupportedOp } from './errors.ts'
import type { Kernel } from './kernel.ts'
import { kernelTable } from './kernels/table.ts'

export interface PlanStep {
  node: GraphNode
  kernel: Kernel
  types: readonly DataType[]
  /** Values whose last reader this is, or that have none: disposed after it. Never inputs, constants or outputs of the graph. */
  done: readonly string[]
}

export interface Plan {
  steps: readonly PlanStep[]
  constants: readonly Initializer[]
}

/** @throws ENGINE for an operator that has no kernel */
export function planOf(given: Graph): Plan {
  const graph = withKernels(given)
  const types = valueTypes(graph)
  const kept = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name }) => name),
    ...graph.outputs.map(({ name }) => name),
  ])
  const last = new Map<string, number>()
  graph.nodes.forEach((node, i) => {
    for (const name of [...node.inputs, ...node.outputs]) last.set(name, i)
  })
  const steps = graph.nodes.map((node, i): PlanStep => {
    if (!Object.hasOwn(kernelTable, node.op)) throw unsupportedOp(node)
    const names = new Set([...node.inputs, ...node.outputs])
    return {
      node,
      kernel: kernelTable[node.op],
      types: node.outputs.map((name) => types.get(name)!),
      done: [...names].filter((name) => name !== '' && last.get(name) === i && !kept.has(name)),
    }
  })
  return { steps, constants: graph.initializers }
}

/** Macro operators that have no kernel here in plain ones. */
function withKernels(graph: Graph): Graph {
  const missing = graph.nodes.some(({ op }) => opSpec(op).macro === true && !Object.hasOwn(kernelTable, op))
  return missing ? lower(graph, { block: 0, keep: new Set(Object.keys(kernelTable)) }) : graph
}

/** A graph tells only the types of its inputs, constants and outputs; building it again tells the others. */
function valueTypes(graph: Graph): Map<string, DataType> {
  const g = new GraphBuilder()
  const values = new Map<string, Value>()
  for (const { name, type, shape } of graph.inputs) values.set(name, g.input(name, type, shape))
  for (const c of graph.initializers) values.set(c.name, g.constant(c.data, c.shape, c.type, c.name))
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? null : values.get(name)!))
    g.ops(node.op, inputs, node.attrs, node.outputs.length).forEach((value, i) => {
      values.set(node.outputs[i], value)
    })
  }
  return new Map(Array.from(values, ([name, { type }]) => [name, type]))
}
