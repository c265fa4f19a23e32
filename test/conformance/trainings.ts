// Whole trainings of the suite: optimizers on a problem whose gradient is one line, and three networks for 20 steps.
import type { Engine, Tensors } from '../../src/engine/engine.ts'
import { createTrainer, type WeightSet } from '../../src/engine/trainer.ts'
import { flatten, gelu, globalAveragePool, globalMaxPool, maxPool, relu, transpose } from '../../src/graph/functions.ts'
import { multiHeadAttention } from '../../src/graph/layers/attention.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { embedding, linear } from '../../src/graph/layers/linear.ts'
import { batchNorm, layerNorm } from '../../src/graph/layers/normalization.ts'
import { gru } from '../../src/graph/layers/recurrent.ts'
import { softmaxCrossEntropy, squaredError } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { cosine, oneCycle } from '../../src/graph/optimizers/schedule.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import type { NetworkDefinition, StepOptions } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'

export interface TrainingCase {
  title: string
  definition: NetworkDefinition
  options: StepOptions
  steps: number
  batch(step: number): Tensors
  /** Scalars of a step, by schedule. */
  scalars(step: number): Record<string, number>
  /** Weights after the last step by a few lines of float64: w [2, 1], b [1]. @default the reference engine's */
  truth?: (start: Readonly<Record<string, Float32Array>>) => { weights: Line; averages?: Line }
}

export interface TrainingResult {
  losses: number[]
  weights: Record<string, Float32Array>
  averages: Record<string, Float32Array>
}

/** Runs a case on an engine. The same seed gives every engine the same start. */
export async function runTraining(engine: Engine, c: TrainingCase): Promise<TrainingResult> {
  const trainer = await createTrainer(engine, c.definition, c.options)
  const training = await trainer.start(Rng.fromSeed(5))
  const losses: number[] = []
  for (let step = 0; step < c.steps; step++) losses.push(await training.step(c.batch(step), c.scalars(step)))
  const weightsOf = (which: WeightSet) => training.weights(which)
  const [weights, averages] = [await weightsOf('current'), await weightsOf('average')]
  await training.release()
  await trainer.release()
  return { losses, weights, averages }
}

/** y = x w + b. */
interface Line {
  w: number[]
  b: number[]
}

const ROWS = [
  [1, 0.5],
  [-2, 1],
  [0.5, -1.5],
  [1.5, 2],
]
const TARGETS = [1, -1, 0.5, 2]
const lineBatch: Tensors = {
  x: { type: 'float32', shape: [4, 2], data: Float32Array.from(ROWS.flat()) },
  target: { type: 'float32', shape: [4, 1], data: Float32Array.from(TARGETS) },
}
const line: NetworkDefinition = {
  inputs: { x: { type: 'float32', shape: [2] } },
  targets: { target: { type: 'float32', shape: [1] } },
  forward: (net, { x }) => linear(net, x, 1),
  loss: (g, y, { target }) => squaredError(g, y, target),
}

/** Gradient of the mean of (x w + b - t)^2, as [dw0, dw1, db]. */
function slope([w0, w1, b]: readonly number[]): number[] {
  const residuals = ROWS.map(([x0, x1], i) => x0 * w0 + x1 * w1 + b - TARGETS[i])
  const mean = (f: (i: number) => number) => residuals.reduce((sum, r, i) => sum + (2 * r * f(i)) / ROWS.length, 0)
  return [mean((i) => ROWS[i][0]), mean((i) => ROWS[i][1]), mean(() => 1)]
}

type Rule = (p: number, grad: number, at: number, step: number) => number

/** Repeats `rule` for each of the three parameters; `clip` bounds the joint norm of their gradients. */
function descend(
  steps: number,
  rule: Rule,
  clip = Number.POSITIVE_INFINITY,
  emaDecay = 0,
): NonNullable<TrainingCase['truth']> {
  return (start) => {
    let p = [...start['linear_1.weight'], ...start['linear_1.bias']]
    let average = [...p]
    for (let step = 0; step < steps; step++) {
      const grads = slope(p)
      const factor = Math.min(1, clip / Math.hypot(...grads))
      p = p.map((value, at) => rule(value, factor * grads[at], at, step))
      average = average.map((held, at) => emaDecay * held + (1 - emaDecay) * p[at])
    }
    const asLine = (values: number[]): Line => ({ w: values.slice(0, 2), b: values.slice(2) })
    return { weights: asLine(p), ...(emaDecay > 0 ? { averages: asLine(average) } : {}) }
  }
}

const decays = (at: number) => (at < 2 ? 1 : 0)

function sgdRule(lrAt: (step: number) => number, momentum: number, decay: number, nesterov: boolean): Rule {
  const velocity = [0, 0, 0]
  return (p, grad, at, step) => {
    if (step === 0) velocity[at] = 0
    const g = grad + decays(at) * decay * p
    velocity[at] = momentum * velocity[at] + g
    return p - lrAt(step) * (nesterov ? g + momentum * velocity[at] : velocity[at])
  }
}

function adamRule(lrAt: (step: number) => number, decay: number): Rule {
  const [m, v] = [
    [0, 0, 0],
    [0, 0, 0],
  ]
  return (p, g, at, step) => {
    if (step === 0) m[at] = v[at] = 0
    m[at] = 0.9 * m[at] + 0.1 * g
    v[at] = 0.999 * v[at] + 0.001 * g * g
    const [mean, square] = [m[at] / (1 - 0.9 ** (step + 1)), v[at] / (1 - 0.999 ** (step + 1))]
    return p - lrAt(step) * (mean / (Math.sqrt(square) + 1e-8) + decays(at) * decay * p)
  }
}

const STEPS = 8
const onLine = (title: string, rest: Pick<TrainingCase, 'options' | 'scalars' | 'truth'>): TrainingCase => ({
  title,
  definition: line,
  steps: STEPS,
  batch: () => lineBatch,
  ...rest,
})

export const optimizerCases: readonly TrainingCase[] = [
  onLine('SGD with Nesterov momentum and weight decay', {
    options: { batch: 4, optimizer: sgd() },
    scalars: () => ({ lr: 0.02, momentum: 0.8, weightDecay: 0.1 }),
    truth: descend(
      STEPS,
      sgdRule(() => 0.02, 0.8, 0.1, true),
    ),
  }),
  onLine('SGD with plain momentum on one cycle', {
    options: { batch: 4, optimizer: sgd({ nesterov: false }) },
    scalars: (step) => ({ lr: oneCycle((step + 0.5) / STEPS, 0.05), momentum: 0.9, weightDecay: 0 }),
    truth: descend(
      STEPS,
      sgdRule(
        (step) => {
          const at = (step + 0.5) / STEPS
          return at < 0.25 ? 0.2 * at : (0.05 * (1 - at)) / 0.75
        },
        0.9,
        0,
        false,
      ),
    ),
  }),
  onLine('AdamW with decoupled decay on a cosine', {
    options: { batch: 4, optimizer: adamW() },
    scalars: (step) => ({ lr: cosine(step / STEPS, 0.05, 0), weightDecay: 0.2 }),
    truth: descend(
      STEPS,
      adamRule((step) => 0.025 * (1 + Math.cos((Math.PI * step) / STEPS)), 0.2),
    ),
  }),
  onLine('SGD with clipped gradients and averaged weights', {
    options: { batch: 4, optimizer: sgd(), clip: true, ema: true },
    scalars: () => ({ lr: 0.1, momentum: 0, weightDecay: 0, clipNorm: 0.5, emaDecay: 0.7 }),
    truth: descend(
      STEPS,
      sgdRule(() => 0.1, 0, 0, true),
      0.5,
      0.7,
    ),
  }),
]

const BATCH = 16
const CLASSES = 3

/** Examples whose level tells their class. */
function exampleBatch(step: number, shape: readonly number[], tokens?: number): Tensors {
  const rng = Rng.fromSeed(100 + step)
  const size = shape.reduce((a, b) => a * b, 1)
  const target = new Float32Array(BATCH * CLASSES)
  const x = tokens === undefined ? new Float32Array(BATCH * size) : new Int32Array(BATCH * size)
  for (let i = 0; i < BATCH; i++) {
    const label = rng.below(CLASSES)
    target[CLASSES * i + label] = 1
    for (let k = 0; k < size; k++) {
      x[i * size + k] =
        tokens === undefined
          ? rng.normal() + 0.5 * (k % CLASSES === label ? 1 : -1)
          : (rng.below(tokens / 2) + label * 5) % tokens
    }
  }
  const full = [BATCH, ...shape]
  return {
    x:
      tokens === undefined
        ? { type: 'float32', shape: full, data: x as Float32Array }
        : { type: 'int32', shape: full, data: x as Int32Array },
    target: { type: 'float32', shape: [BATCH, CLASSES], data: target },
  }
}

interface NetworkRow {
  title: string
  shape: readonly number[]
  tokens?: number
  forward: NetworkDefinition['forward']
  options: Omit<StepOptions, 'batch'>
  lr: number
}

const TOKENS = 24

const networks: NetworkRow[] = [
  {
    title: 'a convolutional network with batch norm, pooling and dropout',
    shape: [3, 8, 8],
    forward: (net, { x }) => {
      const { g } = net
      const a = maxPool(g, relu(g, batchNorm(net, convolution(net, x, 16, [3, 3], { bias: false }))), [2, 2])
      const b = relu(g, convolution(net, a, 16, [3, 3], { strides: 2, pads: 1 }))
      return linear(net, dropout(net, flatten(g, b), 0.2), CLASSES)
    },
    options: { optimizer: sgd(), ema: true },
    lr: 0.02,
  },
  {
    title: 'a text network of embeddings and convolutions over one axis',
    shape: [12],
    tokens: TOKENS,
    forward: (net, { x }) => {
      const { g } = net
      let h = transpose(g, embedding(net, x, TOKENS, 16), [0, 2, 1])
      for (const dilations of [1, 2]) h = relu(g, convolution(net, h, 16, [3], { dilations }))
      return linear(net, globalMaxPool(g, h), CLASSES)
    },
    options: { optimizer: adamW(), clip: true },
    lr: 3e-3,
  },
  {
    title: 'a GRU in both directions with attention and layer norm',
    shape: [5, 4],
    forward: (net, { x }) => {
      const { g } = net
      const { steps } = gru(net, x, 6, { bidirectional: true })
      const mixed = layerNorm(net, multiHeadAttention(net, steps, 2))
      const pooled = globalAveragePool(g, transpose(g, mixed, [0, 2, 1]))
      return linear(net, gelu(g, linear(net, pooled, 8)), CLASSES)
    },
    options: { optimizer: adamW() },
    lr: 5e-3,
  },
]

const NETWORK_STEPS = 20

export const networkCases: readonly TrainingCase[] = networks.map(({ title, shape, tokens, forward, options, lr }) => ({
  title,
  definition: {
    inputs: { x: { type: tokens === undefined ? 'float32' : 'int32', shape } },
    targets: { target: { type: 'float32', shape: [CLASSES] } },
    forward,
    loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target, { labelSmoothing: 0.05 }),
  },
  options: { batch: BATCH, ...options },
  steps: NETWORK_STEPS,
  batch: (step) => exampleBatch(step, shape, tokens),
  scalars: (step) => ({ lr: oneCycle((step + 0.5) / NETWORK_STEPS, lr), weightDecay: 0.01 }),
}))
