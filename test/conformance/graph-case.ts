// One case of the suite: a small graph, its inputs, and what is asked of it. From a case comes one graph that computes the outputs
// (`y0`, `y1`, ...) and the gradient of their weighted sum with respect to each float32 input (`d0`, ...), and the numbers to feed.
import type { Tensor, TensorType } from '../../src/engine/engine.ts'
import { GraphBuilder, type Value } from '../../src/graph/builder.ts'
import { sizeOf } from '../../src/graph/dims.ts'
import { vectorJacobian } from '../../src/graph/gradients/gradients.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { Rng } from '../../src/support/rng.ts'

/** Draws the elements of one input. */
export type Fill = (rng: Rng, at: number) => number

export interface CaseInput {
  shape: readonly number[]
  /** @default 'float32' */
  type?: TensorType
  /** @default `spread` */
  fill?: Fill
  /** No gradient is asked for: running statistics are not trained. @default false */
  fixed?: boolean
  /** Names of the axes that are symbolic in the graph, by axis. @default none */
  symbols?: Readonly<Record<number, string>>
}

export interface GraphCase {
  /** Operator (or layer, or loss) under test; the summary groups by it. */
  op: string
  /** What is special about this use of it; with `op` it is the case's unique title. */
  what: string
  inputs: readonly CaseInput[]
  build(g: GraphBuilder, inputs: Value[]): Value | readonly Value[]
  /** Whether gradients are asked for. @default true where there is a float32 input */
  gradient?: boolean
  /** Whether finite differences make sense there: false at ties and kinks. @default true */
  smooth?: boolean
  /** Error of float32 relative to the table's tolerance, where sums cancel or are long. @default 1 */
  slack?: number
  /** Size of the terms of a sum that is zero by symmetry: errors are relative to at least this. @default 1e-3 */
  floor?: number
  /** The outputs by a closed form, from the inputs' numbers: a check of the reference itself. */
  truth?: (inputs: readonly Float64Array[]) => readonly ArrayLike<number>[]
  /** Kinds of executors that have the operator at all, with the reason. @default all */
  only?: { kinds: readonly string[]; reason: string }
}

export const titleOf = (c: GraphCase) => `${c.op}: ${c.what}`

/** +-[0.3, 1.5]: away from the kinks at 0. */
export const spread: Fill = (rng) => (rng.uniform() < 0.5 ? -1 : 1) * (0.3 + 1.2 * rng.uniform())
export const positive: Fill = (rng) => 0.4 + 1.6 * rng.uniform()
export const below =
  (n: number): Fill =>
  (rng) =>
    rng.below(n)
export const integers =
  (low: number, high: number): Fill =>
  (rng) =>
    low + rng.below(high - low + 1)
/** These numbers, again and again. */
export const values =
  (...list: number[]): Fill =>
  (_, at) =>
    list[at % list.length]

export interface BuiltCase {
  graph: Graph
  feeds: Record<string, Tensor>
}

/** The case as a graph. `gradients` false leaves only the outputs. */
export function buildCase(c: GraphCase, gradients = true): BuiltCase {
  const g = new GraphBuilder()
  const inputs = c.inputs.map(({ shape, type = 'float32', symbols = {} }, i) =>
    g.input(
      `x${i}`,
      type,
      shape.map((dim, axis) => symbols[axis] ?? dim),
    ),
  )
  const outputs = [c.build(g, inputs)].flat() as Value[]
  outputs.forEach((y, i) => {
    g.output(`y${i}`, y)
  })
  const rng = Rng.fromSeed(7).split(titleOf(c))
  const feeds: Record<string, Tensor> = {}
  c.inputs.forEach((input, i) => {
    feeds[`x${i}`] = drawTensor(input, rng.split(i))
  })
  const trained = trainedInputs(c).map((i) => inputs[i])
  if (gradients && wantsGradient(c)) {
    const objectives = outputs.filter((y) => y.type === 'float32')
    const seeds = objectives.map((y, i) => {
      const seed = rng.split(`seed ${i}`)
      const shape = y.shape.map((dim) => (typeof dim === 'number' ? dim : symbolSize(c, dim)))
      feeds[`s${i}`] = drawTensor({ shape, fill: () => 2 * seed.uniform() - 1 }, seed)
      return g.input(`s${i}`, 'float32', y.shape)
    })
    vectorJacobian(g, objectives, seeds, trained).forEach((grad, i) => {
      g.output(`d${i}`, grad)
    })
  }
  return { graph: g.build(), feeds }
}

/** Inputs with a gradient `d0`, `d1`, ...: their numbers. */
export function trainedInputs(c: GraphCase): number[] {
  return [...c.inputs.keys()].filter((i) => (c.inputs[i].type ?? 'float32') === 'float32' && !c.inputs[i].fixed)
}

export const wantsGradient = (c: GraphCase) => c.gradient ?? trainedInputs(c).length > 0

/** The number behind a symbol: that of the input axis which bears its name. */
function symbolSize(c: GraphCase, symbol: string): number {
  for (const { shape, symbols = {} } of c.inputs) {
    for (const [axis, name] of Object.entries(symbols)) if (name === symbol) return shape[Number(axis)]
  }
  throw new Error(`${titleOf(c)}: the size ${symbol} is no input's`)
}

function drawTensor({ shape, type = 'float32', fill = spread }: CaseInput, rng: Rng): Tensor {
  const length = sizeOf(shape)
  const drawn = Array.from({ length }, (_, at) => fill(rng, at))
  switch (type) {
    case 'int64':
      return { type, shape, data: BigInt64Array.from(drawn, BigInt) }
    case 'int32':
      return { type, shape, data: Int32Array.from(drawn) }
    case 'uint8':
    case 'bool':
      return { type, shape, data: Uint8Array.from(drawn) }
    default:
      return { type, shape, data: Float32Array.from(drawn) }
  }
}
