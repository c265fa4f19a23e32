// Writes a graph in the operators that onnxruntime's WebGPU provider has. What it lacks would run on the processor, every step's
// operands crossing between the two memories unseen. Found by compiling one graph per operator with the fallback switched off
// (onnxruntime 1.30): of what training steps are made of, these are missing. Left as they are, since only front ends use them, which
// run on the processor anyway: Round, Mod, IsNaN, OneHot, Xor, SpaceToDepth, LpPool, the bitwise operators and int64 arithmetic.
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import {
  add,
  cast,
  exp,
  gemm,
  greater,
  less,
  log,
  mul,
  reduceMax,
  reduceSum,
  sub,
  transpose,
} from '../../graph/functions.ts'
import type { Graph, GraphNode } from '../../graph/graph.ts'
import { isPlainWindow, type Pooling, placesOnlyScatter, scatterToWinners } from './webgpu-ops-pooling.ts'

type Rewrite = (g: GraphBuilder, inputs: readonly Value[], node: GraphNode) => Value

const REWRITES: Readonly<Record<string, Rewrite>> = {
  Sign: (g, [x]) => sub(g, cast(g, greater(g, x, 0), x.type), cast(g, less(g, x, 0), x.type)),
  LogSoftmax(g, [x], { attrs }) {
    const axis = (attrs.axis as number | undefined) ?? -1
    const shifted = sub(g, x, reduceMax(g, x, [axis], true))
    return sub(g, shifted, log(g, reduceSum(g, exp(g, shifted), [axis], true)))
  },
  Sum: (g, inputs) => sumOf(g, inputs),
  Mean: (g, inputs) => mul(g, sumOf(g, inputs), 1 / inputs.length),
  Or(g, [a, b]) {
    const neither = g.op('And', [g.op('Not', [a]), g.op('Not', [b])])
    return g.op('Not', [neither])
  },
  FusedMatMul(g, [a, b], { attrs }) {
    const { transA = 0, transB = 0, alpha = 1 } = attrs as Record<string, number>
    if (a.shape.length === 2 && b.shape.length === 2) {
      return gemm(g, a, b, null, { transA: transA === 1, transB: transB === 1, alpha })
    }
    const product = g.op('MatMul', [transA === 1 ? turned(g, a) : a, transB === 1 ? turned(g, b) : b])
    return alpha === 1 ? product : mul(g, product, alpha)
  },
}

export function forWebgpu(graph: Graph): Graph {
  if (!graph.nodes.some(({ op, outputs }) => op in REWRITES || (op === 'MaxPool' && outputs.length === 2))) return graph
  const g = new GraphBuilder()
  const values = new Map<string, Value>()
  /** Places that exist no more, by name. */
  const places = new Map<string, Pooling>()
  for (const { name, type, shape } of graph.inputs) values.set(name, g.input(name, type, shape))
  for (const c of graph.initializers) values.set(c.name, g.constant(c.data, c.shape, c.type, c.name))
  for (const node of graph.nodes) {
    if (isWrittenAway(node)) continue
    const inputs = node.inputs.map((name) => (name === '' ? null : values.get(name)!))
    const rewrite = REWRITES[node.op]
    const outputs = rewrite
      ? [rewrite(g, inputs as Value[], node)]
      : g.ops(node.op, inputs, node.attrs, node.outputs.length)
    node.outputs.forEach((name, i) => {
      values.set(name, outputs[i])
    })
  }
  for (const { name } of graph.outputs) g.output(name, values.get(name)!)
  return g.build()

  /** Of the gradient of a MaxPool: the pooling with places, what reshapes the places, and what scatters to them. */
  function isWrittenAway({ op, inputs, outputs, attrs }: GraphNode): boolean {
    if (op === 'MaxPool' && outputs.length === 2) {
      const x = values.get(inputs[0])!
      if (!isPlainWindow(x, attrs) || !placesOnlyScatter(graph, outputs[1])) return false
      const y = g.op('MaxPool', [x], attrs)
      values.set(outputs[0], y)
      places.set(outputs[1], { x, y, attrs })
      return true
    }
    const pooling = places.get(inputs[op === 'ScatterElements' ? 1 : 0])
    if (pooling === undefined) return false
    if (op === 'Reshape') places.set(outputs[0], pooling)
    else values.set(outputs[0], scatterToWinners(g, pooling, values.get(inputs[0])!, values.get(inputs[2])!))
    return true
  }
}

function sumOf(g: GraphBuilder, [first, ...rest]: readonly Value[]): Value {
  return rest.reduce((sum, x) => add(g, sum, x), first)
}

/** The last two axes change places. */
function turned(g: GraphBuilder, x: Value): Value {
  const rank = x.shape.length
  const order = Array.from({ length: rank }, (_, i) => i)
  return transpose(g, x, [...order.slice(0, -2), rank - 1, rank - 2])
}
