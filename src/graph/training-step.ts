// A whole training step as ONE graph: forward, loss, gradients, optimizer, weight average. Inputs are the batch, the state (parameters,
// optimizer slots, averages), scalars and a seed; outputs are the loss and the next state. Also the same network for evaluation
// (parameters as inputs) and for export (parameters as constants).
import { GraphBuilder, type Value } from './builder.ts'
import { add, mul, sub } from './functions.ts'
import { gradients } from './gradients/gradients.ts'
import type { DataType, Graph } from './graph.ts'
import { isDecayed, Network, type ParameterSource, type ParameterSpec, parameterInputs } from './layers/network.ts'
import { clipByNorm, type Optimizer } from './optimizers/optimizer.ts'

/** Type and shape of one example's part of the batch. */
export interface ExampleInput {
  type: DataType
  shape: readonly number[]
}

export interface NetworkDefinition {
  /** What the network reads, by name. */
  inputs: Readonly<Record<string, ExampleInput>>
  /** What only the loss reads, by name. */
  targets: Readonly<Record<string, ExampleInput>>
  /** Inputs [n, ...shape] to the network's output. Must ask for the same layers in training and inference. */
  forward(net: Network, inputs: Readonly<Record<string, Value>>): Value
  /** To a scalar. */
  loss(g: GraphBuilder, output: Value, targets: Readonly<Record<string, Value>>): Value
}

export interface StepOptions {
  batch: number
  optimizer: Optimizer
  /** Keep an exponential moving average of the weights; adds the scalar `emaDecay`. @default false */
  ema?: boolean
  /** Clip gradients by joint norm; adds the scalar `clipNorm`. @default false */
  clip?: boolean
}

export interface TrainingStep {
  graph: Graph
  parameters: readonly ParameterSpec[]
  /** Every tensor of the state: its input is `name`, its output `nextName(name)`; new ones start as zeros or as the parameter. */
  state: readonly {
    name: string
    shape: readonly number[]
    parameter: string
    role: 'parameter' | 'slot' | 'average'
  }[]
  /** Names of scalar inputs. */
  scalars: readonly string[]
  seeded: boolean
}

export const nextName = (name: string) => `${name}:next`
export const averageName = (parameter: string) => `${parameter}/average`
export const slotName = (parameter: string, slot: string) => `${parameter}/${slot}`

export function buildTrainingStep(definition: NetworkDefinition, options: StepOptions): TrainingStep {
  const { optimizer } = options
  const g = new GraphBuilder()
  const declare = (inputs: Readonly<Record<string, ExampleInput>>) =>
    mapRecord(inputs, ({ type, shape }, name) => g.input(name, type, [options.batch, ...shape]))
  const net = new Network(g, 'train', parameterInputs)
  const output = definition.forward(net, declare(definition.inputs))
  const loss = definition.loss(g, output, declare(definition.targets))
  const trained = net.parameters.filter((p) => p.spec.kind !== 'statistic')
  let grads = gradients(
    g,
    loss,
    trained.map((p) => p.value),
  )
  const given = [
    ...Object.keys(optimizer.scalars),
    ...(options.clip ? ['clipNorm'] : []),
    ...(options.ema ? ['emaDecay'] : []),
  ]
  const derived = Object.keys(optimizer.derived?.(1, optimizer.scalars) ?? {})
  const names = [...given, ...derived]
  const scalars = Object.fromEntries(names.map((name) => [name, g.input(name, 'float32', [])]))
  if (options.clip) grads = clipByNorm(g, grads, scalars.clipNorm).grads

  const state: TrainingStep['state'][number][] = []
  /** A parameter's next value and, where averages are kept, its average's: statistics too, so that averaged weights meet their own. */
  const publish = ({ name, shape }: ParameterSpec, next: Value) => {
    g.output(nextName(name), next)
    state.push({ name, shape, parameter: name, role: 'parameter' })
    if (!options.ema) return
    const average = g.input(averageName(name), 'float32', shape)
    g.output(nextName(averageName(name)), add(g, next, mul(g, sub(g, average, next), scalars.emaDecay)))
    state.push({ name: averageName(name), shape, parameter: name, role: 'average' })
  }
  g.output('loss', loss)
  trained.forEach(({ spec, value }, i) => {
    const { name, shape } = spec
    const slots = optimizer.slots.map((slot) => g.input(slotName(name, slot), 'float32', shape))
    const next = optimizer.update(g, { value, grad: grads[i], slots, scalars, decay: isDecayed(spec), kind: spec.kind })
    publish(spec, next.value)
    optimizer.slots.forEach((slot, k) => {
      g.output(nextName(slotName(name, slot)), next.slots[k])
      state.push({ name: slotName(name, slot), shape, parameter: name, role: 'slot' })
    })
  })
  for (const { spec, value } of net.parameters) {
    if (spec.kind !== 'statistic') continue
    publish(spec, net.updates.get(spec.name) ?? value)
  }
  return {
    graph: withUsedInputs(g.build()),
    parameters: net.parameters.map((p) => p.spec),
    state,
    scalars: names,
    seeded: net.seeded,
  }
}

/** The network for evaluation with weights as inputs; output `output`. Any number of examples. */
export function buildEvaluation(definition: NetworkDefinition): Graph {
  const g = new GraphBuilder()
  const inputs = mapRecord(definition.inputs, ({ type, shape }, name) => g.input(name, type, ['n', ...shape]))
  g.output('output', buildForward(g, definition, inputs, parameterInputs))
  return g.build()
}

/** The network in inference form inside another graph. */
export function buildForward(
  g: GraphBuilder,
  definition: NetworkDefinition,
  inputs: Readonly<Record<string, Value>>,
  source: ParameterSource,
): Value {
  return definition.forward(new Network(g, 'infer', source), inputs)
}

/** Drops inputs that nothing reads: an optimizer may ignore a scalar. */
function withUsedInputs(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs))
  return { ...graph, inputs: graph.inputs.filter((input) => used.has(input.name)) }
}

function mapRecord<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}
