// A training step as one graph whose whole state is a few flat vectors: weights that decay, biases and scales that do not,
// batch-norm statistics, their running averages (for publishing while the rate is still high), and the optimizer's slots. One
// vector each makes snapshots, resuming, averaging and swapping states trivial, and the optimizer ten operators instead of ten
// per layer. Several states (cross-validation folds) share one compiled step.
import type { Engine, Executable, Tensor } from '../../engine/engine.ts'
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import { sizeOf } from '../../graph/dims.ts'
import { add, cast, concat, mul, reshape, sub } from '../../graph/functions.ts'
import { gradients } from '../../graph/gradients/gradients.ts'
import { Network, type ParameterSpec, parameterConstants, parameterInputs } from '../../graph/layers/network.ts'
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../../graph/losses.ts'
import type { Optimizer } from '../../graph/optimizers/optimizer.ts'
import type { Rng } from '../../support/rng.ts'
import type { Link } from '../common/label-statistics.ts'

export interface NetworkDefinition {
  /** Shape of one example's input. */
  inputShape: readonly number[]
  /** Pictures are fed as bytes and scaled to [0, 1] in the graph. */
  inputType: 'float32' | 'uint8'
  classCount: number
  link: Link
  /** x: float32 [n, ...inputShape] (bytes already in [0, 1]) -> logits [n, K]. Asks for layers in a fixed order. */
  forward(net: Network, x: Value): Value
}

export interface StepOptions {
  batch: number
  optimizer: Optimizer
  /** @default 0 */
  labelSmoothing?: number
  /** [K] @default all 1 */
  classWeights?: Float32Array | null
}

/** What one step is told; anything that a schedule changes. */
export interface StepScalars {
  rate: number
  weightDecay: number
  /** Weight of the newest weights in the running average: 1 is no averaging. */
  averageShare: number
}

/** Everything that training changes. The vectors belong to the state; the trainer swaps them for others of equal size. */
export interface TrainerState {
  step: number
  /** By group: `weights`, `biases`, `statistics`, each also as `average.<group>`, and `<group>.<slot>`. */
  vectors: Record<string, Float32Array>
}

export interface FlatTrainer {
  /** Trainable numbers. */
  readonly size: number
  newState(rng: Rng): TrainerState
  /** @param x [batch, ...inputShape]; @param targets [batch, K]; @returns the loss */
  step(state: TrainerState, x: Float32Array | Uint8Array, targets: Float32Array, scalars: StepScalars): Promise<number>
  release(): Promise<void>
}

type Group = 'weights' | 'biases' | 'statistics'
const GROUPS: readonly Group[] = ['weights', 'biases', 'statistics']

interface Layout {
  specs: Record<Group, ParameterSpec[]>
  size: Record<Group, number>
}

/** The parameters that a definition asks for, by group, in order. */
function layoutOf(definition: NetworkDefinition, batch: number): Layout {
  const g = new GraphBuilder()
  const net = new Network(g, 'train', parameterInputs)
  definition.forward(net, g.input('x', 'float32', [batch, ...definition.inputShape]))
  const specs: Layout['specs'] = { weights: [], biases: [], statistics: [] }
  for (const { spec } of net.parameters) specs[groupOf(spec)].push(spec)
  const total = (group: Group) => specs[group].reduce((sum, spec) => sum + sizeOf(spec.shape), 0)
  return { specs, size: { weights: total('weights'), biases: total('biases'), statistics: total('statistics') } }
}

function groupOf(spec: ParameterSpec): Group {
  return spec.kind === 'weight' ? 'weights' : spec.kind === 'bias' ? 'biases' : 'statistics'
}

export async function compileTrainer(
  engine: Engine,
  definition: NetworkDefinition,
  options: StepOptions,
): Promise<FlatTrainer> {
  const { optimizer, batch } = options
  const layout = layoutOf(definition, batch)
  const { graph, seeded, names } = stepGraph(definition, options, layout)
  const executable: Executable = await engine.compile(graph)
  const spare: Record<string, Float32Array> = {}
  for (const name of names) spare[name] = new Float32Array(vectorSize(layout, name))
  const xShape = [batch, ...definition.inputShape]
  return {
    size: layout.size.weights + layout.size.biases,
    newState: (rng) => newState(layout, names, rng),
    async step(state, x, targets, { rate, weightDecay, averageShare }) {
      state.step++
      const values = { ...optimizer.scalars, lr: rate, weightDecay }
      const scalars: Record<string, number> = { ...values, ...optimizer.derived?.(state.step, values), averageShare }
      const feeds: Record<string, Tensor> = {
        x: { type: definition.inputType, shape: xShape, data: x },
        targets: { type: 'float32', shape: [batch, definition.classCount], data: targets },
      }
      if (seeded) feeds.seed = { type: 'int32', shape: [], data: Int32Array.of(Math.imul(state.step, 0x9e3779b1)) }
      for (const input of graph.inputs) {
        if (input.name in scalars)
          feeds[input.name] = { type: 'float32', shape: [], data: Float32Array.of(scalars[input.name]) }
      }
      const into: Record<string, Tensor> = {}
      for (const name of names) {
        const data = state.vectors[name]
        feeds[name] = { type: 'float32', shape: [data.length], data }
        into[`next.${name}`] = { type: 'float32', shape: [data.length], data: spare[name] }
      }
      const { loss } = await executable.run(feeds, into)
      for (const name of names) {
        const old = state.vectors[name]
        state.vectors[name] = spare[name]
        spare[name] = old
      }
      return loss.data[0] as number
    },
    release: () => executable.release(),
  }
}

function vectorSize(layout: Layout, name: string): number {
  return layout.size[GROUPS.find((group) => name.includes(group))!]
}

function newState(layout: Layout, names: readonly string[], rng: Rng): TrainerState {
  const vectors: Record<string, Float32Array> = {}
  for (const name of names) vectors[name] = new Float32Array(vectorSize(layout, name))
  for (const group of GROUPS) {
    if (layout.size[group] === 0) continue
    let at = 0
    for (const spec of layout.specs[group]) {
      vectors[group].set(spec.init(rng.split(spec.name), spec.shape), at)
      at += sizeOf(spec.shape)
    }
    vectors[`average.${group}`].set(vectors[group])
  }
  return { step: 0, vectors }
}

/** Inputs x, targets, seed, scalars and every state vector; outputs loss and `next.<vector>`. */
function stepGraph(definition: NetworkDefinition, { batch, optimizer, ...options }: StepOptions, layout: Layout) {
  const g = new GraphBuilder()
  const names: string[] = []
  const flat = {} as Record<Group, Value>
  const parameters = new Map<string, Value>()
  const declare = (name: string, size: number) => {
    names.push(name)
    return g.input(name, 'float32', [size])
  }
  for (const group of GROUPS) {
    const specs = layout.specs[group]
    if (specs.length === 0) continue
    flat[group] = declare(group, layout.size[group])
    const sizes = specs.map((spec) => sizeOf(spec.shape))
    const parts =
      specs.length === 1 ? [flat[group]] : g.ops('Split', [flat[group], g.ints(sizes)], { axis: 0 }, specs.length)
    specs.forEach((spec, i) => {
      parameters.set(spec.name, reshape(g, parts[i], spec.shape))
    })
  }
  const net = new Network(g, 'train', (spec) => parameters.get(spec.name)!)
  const fed = g.input('x', definition.inputType, [batch, ...definition.inputShape])
  const x = definition.inputType === 'uint8' ? mul(g, cast(g, fed, 'float32'), 1 / 255) : fed
  const targets = g.input('targets', 'float32', [batch, definition.classCount])
  const logits = definition.forward(net, x)
  const loss = (definition.link === 'softmax' ? softmaxCrossEntropy : sigmoidCrossEntropy)(g, logits, targets, {
    labelSmoothing: options.labelSmoothing ?? 0,
    classWeights: options.classWeights ? g.constant(options.classWeights, [definition.classCount]) : null,
  })
  const scalars: Record<string, Value> = {}
  const known = { ...optimizer.scalars, ...optimizer.derived?.(1, { ...optimizer.scalars }) }
  for (const name of Object.keys(known)) scalars[name] = g.input(name, 'float32', [])
  const averageShare = g.input('averageShare', 'float32', [])
  const trained = (['weights', 'biases'] as const).filter((group) => layout.specs[group].length > 0)
  const all = trained.flatMap((group) => layout.specs[group].map((spec) => parameters.get(spec.name)!))
  const grads = gradients(g, loss, all)
  let at = 0
  const publish = (group: Group, next: Value) => {
    g.output(`next.${group}`, next)
    const average = declare(`average.${group}`, layout.size[group])
    g.output(`next.average.${group}`, add(g, average, mul(g, sub(g, next, average), averageShare)))
  }
  for (const group of trained) {
    const own = grads.slice(at, (at += layout.specs[group].length))
    const grad = concat(
      g,
      own.map((d) => reshape(g, d, [-1])),
      0,
    )
    const slots = optimizer.slots.map((slot) => declare(`${group}.${slot}`, layout.size[group]))
    const next = optimizer.update(g, { value: flat[group], grad, slots, scalars, decay: group === 'weights' })
    publish(group, next.value)
    next.slots.forEach((slot, i) => {
      g.output(`next.${group}.${optimizer.slots[i]}`, slot)
    })
  }
  if (layout.specs.statistics.length > 0) {
    const updates = layout.specs.statistics.map((spec) => reshape(g, net.updates.get(spec.name)!, [-1]))
    publish('statistics', concat(g, updates, 0))
  }
  g.output('loss', loss)
  return { graph: g.build(), seeded: net.seeded, names }
}

/** The trained network as constants: call it with a builder to get its logits. Weights are copied now. */
export function frozenNetwork(
  definition: NetworkDefinition,
  state: TrainerState,
  averaged: boolean,
): (g: GraphBuilder, x: Value) => Value {
  const layout = layoutOf(definition, 1)
  const weights: Record<string, Float32Array> = {}
  for (const group of GROUPS) {
    const from = state.vectors[averaged ? `average.${group}` : group]
    let at = 0
    for (const spec of layout.specs[group]) weights[spec.name] = from.slice(at, (at += sizeOf(spec.shape)))
  }
  return (g, x) => definition.forward(new Network(g, 'infer', parameterConstants(weights)), x)
}
