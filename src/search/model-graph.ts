// The three graphs that a model consists of: its front end alone (to fill the feature store), its head alone (to predict from
// stored features) and the whole, model inputs to `scores` (what is published). One definition serves all three, so that training
// features, predictions and the exported file agree.
import type { MatrixProfile, TaskProfile } from '../dataset/profile.ts'
import type { FrontEnd, Model, ModelInput } from '../families/family.ts'
import { GraphBuilder, type Value } from '../graph/builder.ts'
import type { Dim } from '../graph/dims.ts'
import { cast, clip, div, mul, reshape, round } from '../graph/functions.ts'
import type { Graph } from '../graph/graph.ts'

/** Declares `matrix_<i>` and, where the number of steps varies, `length_<i>`, for every matrix of the task. */
export function declareInputs(g: GraphBuilder, profile: TaskProfile, declare = floats): ModelInput[] {
  return profile.matrices.map((matrix, i) => ({
    matrix: declare(g, `matrix_${i}`, inputShape(matrix, profile, i), matrix),
    length: stepsVary(profile) ? g.input(`length_${i}`, 'int64', ['n']) : null,
  }))
}

function floats(g: GraphBuilder, name: string, shape: Dim[], _matrix: MatrixProfile): Value {
  return g.input(name, 'float32', shape)
}

function pictureBytes(g: GraphBuilder, name: string, shape: Dim[], matrix: MatrixProfile): Value {
  if (matrix.spec.format !== 'COMPRESSED') return floats(g, name, shape, matrix)
  const bytes = g.input(name, 'uint8', shape)
  // As one axis: onnxruntime divides ten times slower when the last of several has size 1, as gray pictures' channels.
  const flat = div(g, cast(g, reshape(g, bytes, [-1]), 'float32'), 255)
  return g.refine(g.op('Reshape', [flat, g.op('Shape', [bytes])]), shape)
}

/** [n, t, rows, cols, channels]; sizes that vary by example are symbols. */
function inputShape(matrix: MatrixProfile, profile: TaskProfile, i: number): Dim[] {
  const size = (extent: { min: number; max: number }, symbol: string): Dim =>
    matrix.fixed || (extent.min === extent.max && declared(matrix, symbol)) ? extent.max : `${symbol}_${i}`
  const steps = stepsVary(profile) ? `t_${i}` : profile.spec.sequenceSize
  return ['n', steps, size(matrix.rows, 'rows'), size(matrix.cols, 'cols'), matrix.channels]
}

/** A size that the metadata state cannot vary in examples that the profile has not seen. */
function declared(matrix: MatrixProfile, symbol: string): boolean {
  return (symbol === 'rows' ? matrix.spec.rows : matrix.spec.cols) > 0 && matrix.spec.format !== 'COMPRESSED'
}

/** Whether models get lengths: the specification says that T varies. */
export function stepsVary(profile: TaskProfile): boolean {
  return profile.spec.sequenceSize < 0
}

/**
 * Base output (or model inputs) -> `features` [n, ...front.shape], as the store keeps it: float32, or uint8 round(255 x). Pictures
 * come in as the bytes they are decoded to, a quarter of the floats that the whole model takes; the division gives the same floats.
 */
export function frontGraph(front: FrontEnd, profile: TaskProfile): Graph {
  const g = new GraphBuilder()
  const inputs = declareInputs(g, profile, pictureBytes)
  const base = front.base === null ? null : storedInput(g, 'base', front.base)
  const x = front.build(g, base, inputs)
  g.output('features', front.store === 'uint8' ? toBytes(g, x) : x)
  return withoutUnusedInputs(g.build())
}

/** Stored features `x` (or model inputs) -> `scores` [n, K]. */
export function headGraph(model: Model, profile: TaskProfile): Graph {
  const g = new GraphBuilder()
  const inputs = declareInputs(g, profile)
  const x = model.front === null ? null : storedInput(g, 'x', model.front)
  g.output('scores', model.build(g, x, inputs))
  return withoutUnusedInputs(g.build())
}

/** Model inputs -> `scores` [n, K]. Every input of the task is declared, whether the model looks at it or not. */
export function modelGraph(model: Model, profile: TaskProfile): Graph {
  const g = new GraphBuilder()
  const inputs = declareInputs(g, profile)
  const x = model.front === null ? null : composeFront(g, model.front, inputs)
  g.output('scores', model.build(g, x, inputs))
  return g.build()
}

function composeFront(g: GraphBuilder, front: FrontEnd, inputs: readonly ModelInput[]): Value {
  const base = front.base === null ? null : composeFront(g, front.base, inputs)
  const x = front.build(g, base, inputs)
  return front.store === 'uint8' ? fromBytes(g, toBytes(g, x)) : x
}

/** What the store hands out under `name`, as the float32 that builders see. */
function storedInput(g: GraphBuilder, name: string, front: FrontEnd): Value {
  const x = g.input(name, front.store, ['n', ...front.shape])
  return front.store === 'uint8' ? fromBytes(g, x) : x
}

function toBytes(g: GraphBuilder, x: Value): Value {
  return cast(g, round(g, mul(g, clip(g, x, 0, 1), 255)), 'uint8')
}

function fromBytes(g: GraphBuilder, x: Value): Value {
  return mul(g, cast(g, x, 'float32'), 1 / 255)
}

/** Inputs that nothing reads need not be fed. */
function withoutUnusedInputs(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs))
  return { ...graph, inputs: graph.inputs.filter((input) => read.has(input.name)) }
}
