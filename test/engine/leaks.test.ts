// What training leaves behind: no tensors, no executables, no growing memory. Resident memory is the slope of a line through the
// samples after warm-up, since single readings jump with the garbage collector and the allocator's arenas.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine, Tensors } from '../../src/engine/engine.ts'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { createTfjsEngine } from '../../src/engine/tfjs/engine.ts'
import { createTrainer } from '../../src/engine/trainer.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { flatten, matmul, maxPool, relu } from '../../src/graph/functions.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { linear } from '../../src/graph/layers/linear.ts'
import { batchNorm } from '../../src/graph/layers/normalization.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { sgd } from '../../src/graph/optimizers/sgd.ts'
import type { NetworkDefinition, StepOptions } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'

const BATCH = 8

const classifier = (shape: readonly number[], forward: NetworkDefinition['forward']): NetworkDefinition => ({
  inputs: { x: { type: 'float32', shape } },
  targets: { target: { type: 'float32', shape: [2] } },
  forward,
  loss: (g, y, { target }) => softmaxCrossEntropy(g, y, target),
})

/** Every kind of thing that a step holds: convolution, statistics, a seed, averages. */
const small = classifier([2, 4, 4], (net, { x }) => {
  const h = relu(net.g, batchNorm(net, convolution(net, x, 4, [3, 3], { bias: false })))
  return linear(net, dropout(net, flatten(net.g, maxPool(net.g, h, [2, 2])), 0.2), 2)
})
const tiny = classifier([4], (net, { x }) => linear(net, relu(net.g, linear(net, x, 8)), 2))

function batchOf({ inputs }: NetworkDefinition): Tensors {
  const rng = Rng.fromSeed(1)
  const shape = [BATCH, ...inputs.x.shape]
  const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal())
  const target = Float32Array.from({ length: 2 * BATCH }, (_, i) => Number(i % 2 === (i >> 1) % 2))
  return {
    x: { type: 'float32', shape, data: x },
    target: { type: 'float32', shape: [BATCH, 2], data: target },
  }
}

/** Tensors that the backend itself counts, besides the engine's own books. */
interface Subject {
  name: string
  create(): Promise<Engine>
  /** @default what the engine says it holds */
  backendTensors?: () => Promise<number>
}

const subjects: Subject[] = [
  { name: 'onnx on cpu', create: async () => createOnnxEngine({ threads: 1 }) },
  {
    name: 'tfjs',
    create: () => createTfjsEngine({ binding: 'javascript' }),
    backendTensors: async () => (await import('@tensorflow/tfjs')).memory().numTensors,
  },
]

const engines: Engine[] = []
afterAll(() => Promise.all(engines.map((engine) => engine.close())))

async function engineOf({ create }: Subject): Promise<Engine> {
  const engine = await create()
  engines.push(engine)
  return engine
}

/** Steps a fresh training, calls `watch` every `every` steps, and releases everything. */
async function train(
  engine: Engine,
  definition: NetworkDefinition,
  options: Omit<StepOptions, 'batch'>,
  steps: number,
  every: number,
  watch: () => Promise<void> | void,
): Promise<void> {
  const trainer = await createTrainer(engine, definition, { batch: BATCH, ...options })
  const training = await trainer.start(Rng.fromSeed(2))
  const batch = batchOf(definition)
  for (let step = 1; step <= steps; step++) {
    await training.step(batch, { lr: 1e-3 })
    if (step % every === 0) await watch()
  }
  await training.predict({ x: batch.x })
  await training.release()
  await trainer.release()
}

describe.each(subjects)('$name', (subject) => {
  test('1000 steps leave no tensor and no executable behind', async () => {
    const engine = await engineOf(subject)
    const held = async () => [engine.usage().tensors, (await subject.backendTensors?.()) ?? 0]
    const before = await held()
    const during: number[][] = []
    await train(engine, small, { optimizer: adamW(), ema: true, clip: true }, 1000, 500, async () => {
      during.push(await held())
    })
    // State lives while training does, the same after 500 and after 1000 steps.
    expect(during[0][0]).toBeGreaterThan(before[0])
    expect(during[1]).toEqual(during[0])
    expect(await held()).toEqual(before)
    expect(engine.usage().executables).toBe(0)
  })
})

const MIB = 2 ** 20

/** Runs the collector, so that what is counted is held. */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function residentMemory(): number {
  collect()
  return process.memoryUsage.rss() / MIB
}

/** Slope of the least-squares line through equally spaced samples, per sample. */
function slopeOf(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length
  const [along, square] = samples.reduce(
    ([xy, xx], y, i) => [xy + (i - middle) * (y - mean), xx + (i - middle) ** 2],
    [0, 0],
  )
  return along / square
}

describe('resident memory', () => {
  test('stays flat over 10,000 steps: less than 1 MiB per 1000 in the second half', async () => {
    const engine = await engineOf(subjects[0])
    const samples: number[] = []
    await train(engine, tiny, { optimizer: sgd() }, 10_000, 250, () => {
      samples.push(residentMemory())
    })
    const late = samples.slice(samples.length / 2)
    expect(4 * slopeOf(late), `MiB: ${late.map((mib) => mib.toFixed(1)).join(' ')}`).toBeLessThan(1)
  })

  test('stays flat over 50 graphs compiled and released: less than 0.1 MiB per graph', async () => {
    const engine = await engineOf(subjects[0])
    const x = { type: 'float32', shape: [1, 512], data: new Float32Array(512) } as const
    const samples: number[] = []
    for (let i = 0; i < 75; i++) {
      // Different graphs: equal ones would share a session. Each holds 1 MiB of weights.
      const g = new GraphBuilder()
      const w = g.constant(new Float32Array(512 * 512).fill(i), [512, 512])
      g.output('y', matmul(g, g.input('x', 'float32', [1, 512]), w))
      const run = await engine.compile(g.build())
      await run.run({ x })
      await run.release()
      samples.push(residentMemory())
    }
    const late = samples.slice(25)
    expect(engine.usage().executables).toBe(0)
    expect(slopeOf(late), `MiB: ${late.map((mib) => mib.toFixed(1)).join(' ')}`).toBeLessThan(0.1)
  })
})
