// Writes a graph in the operators that an executor has: macro operators in plain ONNX ones, and for onnxruntime's CPU provider, where
// the processor allows, convolutions and what surrounds them in its blocked layout (`blocked.ts`). Inputs, outputs and constants keep
// their names.
import { AutomlError } from '../../support/errors.ts'
import { GraphBuilder, type Value } from '../builder.ts'
import type { ConvGeometry } from '../gradients/convolution.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { opSpec } from '../ops/table.ts'
import { BlockedLayout } from './blocked.ts'
import {
  channelAffine,
  convInputGradient,
  convWeightGradient,
  globalMaxPoolGradient,
  maxPoolTilesGradient,
} from './plain.ts'

export interface LoweringOptions {
  /** Channels per block of onnxruntime's blocked operators; 0 leaves them out. */
  block: 0 | 8 | 16
  /** Macro operators that the executor has itself: they stay. @default none */
  keep?: ReadonlySet<string>
}

/** Whether a graph cannot run as it is, or gains from blocked layout: onnxruntime finds that itself only for constant weights. */
export function needsLowering(graph: Graph): boolean {
  const constants = new Set(graph.initializers.map((c) => c.name))
  return graph.nodes.some(
    (node) => opSpec(node.op).macro === true || (node.op === 'Conv' && !constants.has(node.inputs[1])),
  )
}

export function lower(graph: Graph, options: LoweringOptions): Graph {
  const g = new GraphBuilder()
  const values = new Map<string, Value>()
  for (const { name, type, shape } of graph.inputs) values.set(name, g.input(name, type, shape))
  for (const c of graph.initializers) values.set(c.name, g.constant(c.data, c.shape, c.type, c.name))
  const layout = new BlockedLayout(g, graph, values, options.block)
  for (const node of graph.nodes) {
    if (options.block > 0 && layout.lower(node)) continue
    const inputs = node.inputs.map((name) => (name === '' ? null : layout.plain(name)))
    const outputs = plainNode(g, node, inputs, options.keep)
    node.outputs.forEach((name, i) => {
      values.set(name, outputs[i])
    })
  }
  for (const { name } of graph.outputs) g.output(name, layout.plain(name))
  return g.build()
}

function plainNode(
  g: GraphBuilder,
  node: GraphNode,
  inputs: readonly (Value | null)[],
  keep?: ReadonlySet<string>,
): Value[] {
  if (opSpec(node.op).macro !== true || keep?.has(node.op)) {
    return g.ops(node.op, inputs, node.attrs, node.outputs.length)
  }
  const [a, b, c, d] = inputs as Value[]
  switch (node.op) {
    case 'grad.ConvInput': {
      const space = node.attrs.input_space as number[]
      return [convInputGradient(g, a, b, geometryOf(node), [a.shape[0], 0, ...space])]
    }
    case 'grad.ConvWeight':
      return [convWeightGradient(g, a, b, geometryOf(node))]
    case 'grad.MaxPoolTiles':
      return [maxPoolTilesGradient(g, a, b, c, node.attrs.kernel_shape as number[])]
    case 'grad.GlobalMaxPool':
      return [globalMaxPoolGradient(g, a, b, c)]
    case 'channel.Affine':
      return [channelAffine(g, a, b, c, d ?? null)]
    default:
      throw new AutomlError('GRAPH_OP', `operator ${node.op} cannot be lowered`)
  }
}

export function geometryOf({ attrs }: GraphNode): ConvGeometry {
  const kernel = attrs.kernel_shape as number[]
  const ones = kernel.map(() => 1)
  return {
    kernel,
    strides: (attrs.strides as number[]) ?? ones,
    dilations: (attrs.dilations as number[]) ?? ones,
    pads: (attrs.pads as number[]) ?? [...ones, ...ones].fill(0),
    group: (attrs.group as number) ?? 1,
  }
}
