// Trains a network on an engine: one graph run per step, the state in two preallocated sets of tensors that take turns, so that a
// step allocates nothing. How to use it:
//
//   const definition: NetworkDefinition = {
//     inputs: { x: { type: 'float32', shape: [1, 28, 28] } },
//     targets: { target: { type: 'float32', shape: [10] } },
//     forward: (net, { x }) => {
//       const h = maxPool(net.g, relu(net.g, batchNorm(net, convolution(net, x, 32, [3, 3], { bias: false }))), [2, 2])
//       return linear(net, dropout(net, flatten(net.g, h), 0.2), 10)
//     },
//     loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target, { labelSmoothing: 0.1 }),
//   }
//   const trainer = await createTrainer(engine, definition, { batch: 64, optimizer: sgd(), rng, ema: true })
//   const loss = await trainer.step({ x, target }, { lr: oneCycle(progress, 0.1), weightDecay: 5e-4 })   // tensors [64, ...]
//   const logits = await trainer.predict({ x }, 'average')                                               // any number of rows
//   // Export, inside a Model's build: constants are a snapshot of the weights at the time of `trainer.exporter()`.
//   const head = trainer.exporter('average');  const scores = softmax(g, head(g, { x: value }))
//   trainer.state() / createTrainer(..., { state }) for resuming; trainer.release() at the end.
//
// The batch size of a step is fixed (drop the rest of an epoch); `predict` takes any. Loss not finite: NAN_LOSS, and the weights stay
// those before the step.
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { sizeOf } from '../graph/dims.ts'
import { parameterConstants } from '../graph/layers/network.ts'
import {
  averageName,
  buildEvaluation,
  buildForward,
  buildTrainingStep,
  type NetworkDefinition,
  nextName,
  type StepOptions,
} from '../graph/training-step.ts'
import { AutomlError } from '../support/errors.ts'
import type { Rng } from '../support/rng.ts'
import type { Engine, Executable, Tensor } from './engine.ts'

export interface TrainerOptions extends StepOptions {
  /** Initial weights and the seeds of steps. */
  rng: Rng
  /** Goes on from a saved state. */
  state?: TrainerState
}

/** All that training needs to go on: JSON-able facts and named arrays. */
export interface TrainerState {
  facts: { step: number }
  arrays: Record<string, Float32Array>
}

export type WeightSet = 'current' | 'average'

export interface Trainer {
  /** Steps taken. */
  readonly steps: number
  /** Names, shapes and kinds of parameters. */
  readonly parameters: ReturnType<typeof buildTrainingStep>['parameters']
  /**
   * One step. `scalars` override the optimizer's own (`lr`, `weightDecay`, ..., `emaDecay`, `clipNorm`).
   * @returns the loss before the step
   * @throws NAN_LOSS, leaving the weights as they were
   */
  step(batch: Readonly<Record<string, Tensor>>, scalars?: Readonly<Record<string, number>>): Promise<number>
  /** The network's output [n, ...] in inference form. */
  predict(inputs: Readonly<Record<string, Tensor>>, weights?: WeightSet): Promise<Tensor>
  /** Copies of all parameters, statistics included. */
  weights(which?: WeightSet): Record<string, Float32Array>
  /** Sets parameters (all or some) and, where they are averaged, their averages. */
  loadWeights(weights: Readonly<Record<string, Float32Array>>): void
  /** The network with a snapshot of the weights as constants, to be put into any graph. */
  exporter(which?: WeightSet): (g: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value
  /** A copy of the whole state. */
  state(): TrainerState
  release(): Promise<void>
}

const SCALAR_DEFAULTS = { emaDecay: 0.999, clipNorm: 1 }

export async function createTrainer(
  engine: Engine,
  definition: NetworkDefinition,
  options: TrainerOptions,
): Promise<Trainer> {
  const { optimizer, rng } = options
  const plan = buildTrainingStep(definition, options)
  const executable = await engine.compile(plan.graph)
  const feedNames = new Set(plan.graph.inputs.map((input) => input.name))
  let evaluation: Promise<Executable> | null = null

  const allocate = () =>
    Object.fromEntries(
      plan.state.map(({ name, shape }): [string, Tensor] => {
        return [name, { type: 'float32', shape, data: new Float32Array(sizeOf(shape)) }]
      }),
    )
  let current = allocate()
  let spare = allocate()
  const loss: Tensor = { type: 'float32', shape: [], data: new Float32Array(1) }
  const seed: Tensor = { type: 'int32', shape: [], data: new Int32Array(1) }
  const scalarTensors = Object.fromEntries(
    plan.scalars.map((name): [string, Tensor] => [name, { type: 'float32', shape: [], data: new Float32Array(1) }]),
  )
  const intoOf = (set: Record<string, Tensor>) => {
    return Object.fromEntries([['loss', loss], ...plan.state.map(({ name }) => [nextName(name), set[name]])])
  }
  let spareInto = intoOf(spare)
  let currentInto = intoOf(current)
  let steps = options.state?.facts.step ?? 0

  const arrayOf = (name: string) => current[name].data as Float32Array
  const initial = rng.split('weights')
  for (const { name, parameter, role } of plan.state) {
    const saved = options.state?.arrays[name]
    const spec = plan.parameters.find((p) => p.name === parameter)!
    if (saved) arrayOf(name).set(saved)
    else if (role !== 'slot') arrayOf(name).set(spec.init(initial.split(parameter), spec.shape))
  }

  function setScalars(given: Readonly<Record<string, number>>): void {
    const values: Record<string, number> = { ...SCALAR_DEFAULTS, ...optimizer.scalars, ...given }
    Object.assign(values, optimizer.derived?.(steps + 1, values))
    for (const name of plan.scalars) scalarTensors[name].data[0] = values[name]
  }

  async function step(batch: Readonly<Record<string, Tensor>>, scalars: Readonly<Record<string, number>> = {}) {
    setScalars(scalars)
    seed.data[0] = rng.split(`step ${steps}`).uint32() | 0
    const feeds: Record<string, Tensor> = {}
    for (const source of [batch, current, scalarTensors, { seed }]) {
      for (const [name, tensor] of Object.entries(source)) if (feedNames.has(name)) feeds[name] = tensor
    }
    await executable.run(feeds, spareInto)
    const value = loss.data[0] as number
    if (!Number.isFinite(value)) {
      throw new AutomlError(
        'NAN_LOSS',
        `the loss is ${value} at step ${steps + 1}`,
        undefined,
        'lower the learning rate',
      )
    }
    ;[current, spare] = [spare, current]
    ;[currentInto, spareInto] = [spareInto, currentInto]
    steps++
    return value
  }

  /** Parameters by name; averages where asked for and kept. */
  function weightTensors(which: WeightSet): Record<string, Tensor> {
    const pick = (name: string) => (which === 'average' ? current[averageName(name)] : undefined) ?? current[name]
    return Object.fromEntries(plan.parameters.map(({ name }) => [name, pick(name)]))
  }

  function weights(which: WeightSet = 'current'): Record<string, Float32Array> {
    const tensors = Object.entries(weightTensors(which))
    return Object.fromEntries(tensors.map(([name, tensor]) => [name, (tensor.data as Float32Array).slice()]))
  }

  return {
    get steps() {
      return steps
    },
    parameters: plan.parameters,
    step,
    async predict(inputs, which = 'current') {
      evaluation ??= engine.compile(buildEvaluation(definition))
      return (await (await evaluation).run({ ...inputs, ...weightTensors(which) })).output
    },
    weights,
    loadWeights(values) {
      for (const [name, data] of Object.entries(values)) {
        if (current[name] === undefined || current[name].data.length !== data.length) {
          throw new AutomlError('TRIAL', `loadWeights: ${name} with ${data.length} elements does not fit this network`)
        }
        arrayOf(name).set(data)
        if (current[averageName(name)]) arrayOf(averageName(name)).set(data)
      }
    },
    exporter(which = 'current') {
      const source = parameterConstants(weights(which))
      return (g, inputs) => buildForward(g, definition, inputs, source)
    },
    state: () => ({
      facts: { step: steps },
      arrays: Object.fromEntries(plan.state.map(({ name }) => [name, arrayOf(name).slice()])),
    }),
    async release() {
      await executable.release()
      if (evaluation) await (await evaluation).release()
    },
  }
}
