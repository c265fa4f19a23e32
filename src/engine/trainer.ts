// Trains a network on an engine: one graph run per step, the state kept where the engine computes, so that a step moves only the batch
// and the loss and allocates nothing. The step is compiled once; any number of trainings (the folds of a cross-validation) share it.
// How to use it:
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
//   const trainer = await createTrainer(engine, definition, { batch: 64, optimizer: sgd(), ema: true })
//   const training = await trainer.start(rng)                                  // or trainer.resume(state)
//   const loss = await training.step({ x, target }, { lr: oneCycle(progress, 0.1), weightDecay: 5e-4 })   // tensors [64, ...]
//   const logits = await training.predict({ x }, 'average')                                               // any number of rows
//   const state = await training.state();  await training.release();  await trainer.release()
//
// The batch size of a step is fixed (drop the rest of an epoch); `predict` takes any. Loss not finite: NAN_LOSS, and the weights stay
// those before the step.
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { sizeOf } from '../graph/dims.ts'
import { type ParameterSpec, parameterConstants } from '../graph/layers/network.ts'
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
import type { Engine, Executable, Residents, Tensor, Tensors } from './engine.ts'

/** All that training needs to go on: JSON-able facts and named arrays. */
export interface TrainerState {
  facts: { step: number; seed: number }
  arrays: Record<string, Float32Array>
}

export type WeightSet = 'current' | 'average'
export type Weights = Record<string, Float32Array>

/** A compiled training step. Owned by the caller: release it after its trainings. */
export interface Trainer {
  /** Names, shapes and kinds of parameters. */
  readonly parameters: readonly ParameterSpec[]
  /** A network with fresh weights. */
  start(rng: Rng): Promise<Training>
  /** Goes on from a saved state. @throws TRIAL when it is another network's */
  resume(state: TrainerState): Promise<Training>
  release(): Promise<void>
}

/** One network in training. Owned by the caller: release it. */
export interface Training {
  /** Steps taken. */
  readonly steps: number
  /**
   * One step. `scalars` override the optimizer's own (`lr`, `weightDecay`, ..., `emaDecay`, `clipNorm`).
   * @returns the loss before the step
   * @throws NAN_LOSS, leaving the weights as they were
   */
  step(batch: Tensors, scalars?: Readonly<Record<string, number>>): Promise<number>
  /** The network's output [n, ...] in inference form. */
  predict(inputs: Tensors, weights?: WeightSet): Promise<Tensor>
  /** Copies of all parameters, statistics included. */
  weights(which?: WeightSet): Promise<Weights>
  /** Sets parameters (all or some) and, where they are averaged, their averages. @throws TRIAL when one does not fit */
  loadWeights(weights: Readonly<Weights>): Promise<void>
  /** A copy of the whole state. */
  state(): Promise<TrainerState>
  /** Goes back to a copy. @throws TRIAL when it is another network's */
  restore(state: TrainerState): Promise<void>
  release(): Promise<void>
}

const SCALAR_DEFAULTS = { emaDecay: 0.999, clipNorm: 1 }

export async function createTrainer(
  engine: Engine,
  definition: NetworkDefinition,
  options: StepOptions,
): Promise<Trainer> {
  const { optimizer } = options
  const plan = buildTrainingStep(definition, options)
  const next = Object.fromEntries(plan.state.map(({ name }) => [name, nextName(name)]))
  const executable = await engine.compile(plan.graph, { resident: Object.values(next) })
  const averaged = new Set(plan.state.filter(({ role }) => role === 'average').map(({ parameter }) => parameter))
  const sizes = new Map(plan.state.map(({ name, shape }) => [name, sizeOf(shape)]))
  const shapes = new Map(plan.state.map(({ name, shape }) => [name, shape]))
  let evaluation: Promise<Executable> | null = null

  const tensorOf = (name: string, data: Float32Array): Tensor => {
    if (sizes.get(name) !== data.length) {
      throw new AutomlError('TRIAL', `${name} with ${data.length} elements does not fit this network`)
    }
    return { type: 'float32', shape: shapes.get(name)!, data }
  }

  function freshArrays(rng: Rng): Record<string, Float32Array> {
    const drawn = new Map(plan.parameters.map(({ name, shape, init }) => [name, init(rng.split(name), shape)] as const))
    return Object.fromEntries(
      plan.state.map(({ name, shape, parameter, role }) => {
        if (role === 'slot') return [name, new Float32Array(sizeOf(shape))]
        const initial = drawn.get(parameter)!
        return [name, role === 'average' ? initial.slice() : initial]
      }),
    )
  }

  /** @param start `adopt`: nobody else holds the arrays */
  async function begin(
    arrays: Readonly<Record<string, Float32Array>>,
    start: { seed: number; taken: number; adopt: boolean },
  ): Promise<Training> {
    const given = plan.state.map(({ name }): [string, Tensor] => [
      name,
      tensorOf(name, arrays[name] ?? new Float32Array()),
    ])
    const residents = await engine.reside(Object.fromEntries(given), { adopt: start.adopt })
    return createTraining(residents, start.seed, start.taken)
  }

  function createTraining(residents: Residents, firstSeed: number, taken: number): Training {
    let [steps, seed] = [taken, firstSeed]

    function feedsOf(batch: Tensors, given: Readonly<Record<string, number>>): Tensors {
      const values: Record<string, number> = { ...SCALAR_DEFAULTS, ...optimizer.scalars, ...given }
      Object.assign(values, optimizer.derived?.(steps + 1, values))
      const feeds: Record<string, Tensor> = { ...batch }
      for (const name of plan.scalars) {
        feeds[name] = { type: 'float32', shape: [], data: Float32Array.of(values[name]) }
      }
      // Odd multiples of the step number: no two steps of a training draw alike.
      const mixed = Math.imul(seed ^ Math.imul(steps + 1, 0x9e3779b1), 0x85ebca6b)
      feeds.seed = { type: 'int32', shape: [], data: Int32Array.of(mixed) }
      return feeds
    }

    /** The resident that holds a parameter, by parameter. */
    function residentNames(which: WeightSet): Record<string, string> {
      const nameOf = (name: string) => (which === 'average' && averaged.has(name) ? averageName(name) : name)
      return Object.fromEntries(plan.parameters.map(({ name }) => [name, nameOf(name)]))
    }

    return {
      get steps() {
        return steps
      },
      async step(batch, scalars = {}) {
        let loss = 0
        await executable.advance({
          feeds: feedsOf(batch, scalars),
          state: residents,
          next,
          accept: (told) => {
            loss = told.loss.data[0] as number
            return Number.isFinite(loss)
          },
        })
        if (!Number.isFinite(loss)) {
          const hint = 'lower the learning rate'
          throw new AutomlError('NAN_LOSS', `the loss is ${loss} at step ${steps + 1}`, undefined, hint)
        }
        steps++
        return loss
      },
      async predict(inputs, which = 'current') {
        evaluation ??= engine.compile(buildEvaluation(definition))
        const names = residentNames(which)
        return (await (await evaluation).run(inputs, {}, { state: residents, names })).output
      },
      async weights(which = 'current') {
        const names = residentNames(which)
        const held = await residents.read(Object.values(names))
        return Object.fromEntries(Object.keys(names).map((name) => [name, held[names[name]].data as Float32Array]))
      },
      async loadWeights(values) {
        const tensors: Record<string, Tensor> = {}
        for (const [name, data] of Object.entries(values)) {
          tensors[name] = tensorOf(name, data)
          if (averaged.has(name)) tensors[averageName(name)] = tensors[name]
        }
        await residents.write(tensors)
      },
      async state() {
        const held = Object.entries(await residents.read(residents.names))
        const arrays = Object.fromEntries(held.map(([name, { data }]) => [name, data as Float32Array]))
        return { facts: { step: steps, seed }, arrays }
      },
      async restore({ facts, arrays }) {
        const tensors = Object.entries(arrays).map(([name, data]): [string, Tensor] => [name, tensorOf(name, data)])
        await residents.write(Object.fromEntries(tensors))
        steps = facts.step
        seed = facts.seed
      },
      release: () => residents.release(),
    }
  }

  return {
    parameters: plan.parameters,
    start: (rng) => begin(freshArrays(rng), { seed: rng.split('steps').uint32() | 0, taken: 0, adopt: true }),
    resume: ({ facts, arrays }) => begin(arrays, { seed: facts.seed, taken: facts.step, adopt: false }),
    async release() {
      await executable.release()
      if (evaluation) await (await evaluation).release()
    },
  }
}

/** The network with these weights as constants, to be put into any graph. */
export function frozenNetwork(
  definition: NetworkDefinition,
  weights: Readonly<Weights>,
): (g: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value {
  const source = parameterConstants(weights)
  return (g, inputs) => buildForward(g, definition, inputs, source)
}
