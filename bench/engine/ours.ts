// The child process that measures this engine: the start of a training, training steps, memory, inference with frozen weights, and the
// speed of onnxruntime's matrix product.
import type { Engine } from '../../src/engine/engine.ts'
import { createOnnxEngine, type OnnxDevice } from '../../src/engine/onnx/engine.ts'
import { createTrainer, frozenNetwork } from '../../src/engine/trainer.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { matmul } from '../../src/graph/functions.ts'
import { Rng } from '../../src/support/rng.ts'
import { bestMs, type Measured, peakBytes, type Settings } from './contender.ts'
import { type Reference, randomBatch } from './networks.ts'

const HYPER = { lr: 1e-3, momentum: 0.9, weightDecay: 5e-4 }

/** The peers' list in peer.py. */
const GEMMS = [
  [512, 512, 512],
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [256, 10_000, 512],
  [10_000, 256, 512],
  [512, 256, 10_000],
]

export async function measureOurs(reference: Reference, { threads, device, steps }: Settings): Promise<Measured> {
  const { definition, batch, optimizer } = reference
  const rng = Rng.fromSeed(0)
  const feeds = randomBatch(reference, rng.split('batch'))

  const from = performance.now()
  const engine = createOnnxEngine({ threads, device: device as OnnxDevice })
  let compileMs = 0
  const timed: Engine = {
    ...engine,
    async compile(...args) {
      const start = performance.now()
      const executable = await engine.compile(...args)
      compileMs = performance.now() - start
      return executable
    },
  }
  const trainer = await createTrainer(timed, definition, { batch, optimizer })
  const made = performance.now()
  const training = await trainer.start(rng.split('weights'))
  const started = performance.now()
  await training.step(feeds, HYPER)
  const stepped = performance.now()
  const start = {
    graphMs: made - from - compileMs,
    compileMs,
    weightsMs: started - made,
    firstStepMs: stepped - started,
    totalMs: stepped - from,
  }

  const stepMs = await bestMs(() => training.step(feeds, HYPER), steps)
  const peak = peakBytes()
  const frozen = frozenNetwork(definition, await training.weights())
  await training.release()
  await trainer.release()

  const g = new GraphBuilder()
  const inputs = Object.entries(definition.inputs).map(([name, { type, shape }]) => [
    name,
    g.input(name, type, [batch, ...shape]),
  ])
  g.output('output', frozen(g, Object.fromEntries(inputs)))
  const predictor = await engine.compile(g.build())
  const inferMs = await bestMs(() => predictor.run(feeds), steps + 1)
  await engine.close()
  return {
    version: `onnxruntime ${await ortVersion()} on ${device}`,
    stepMs: { [device]: stepMs },
    examplesPerSecond: (batch / inferMs) * 1e3,
    peakBytes: peak,
    start,
  }
}

export async function measureGemm({ threads, device }: Settings): Promise<{ version: string; gflops: number }> {
  const engine = createOnnxEngine({ threads, device: device as OnnxDevice })
  let gflops = 0
  for (const [m, k, n] of GEMMS) {
    const g = new GraphBuilder()
    const product = matmul(g, g.input('a', 'float32', [m, k]), g.input('b', 'float32', [k, n]))
    // One element comes back, so that the copy of the result is not timed.
    g.output('y', g.op('Slice', [product, g.ints([0, 0]), g.ints([1, 1])]))
    const executable = await engine.compile(g.build())
    const ones = (rows: number, columns: number) => {
      return { type: 'float32', shape: [rows, columns], data: new Float32Array(rows * columns).fill(1) } as const
    }
    const feeds = { a: ones(m, k), b: ones(k, n) }
    gflops = Math.max(gflops, (2 * m * k * n) / (await bestMs(() => executable.run(feeds), 8)) / 1e6)
    await executable.release()
  }
  await engine.close()
  return { version: `onnxruntime ${await ortVersion()}`, gflops }
}

async function ortVersion(): Promise<string> {
  const { env } = await import('onnxruntime-node')
  return env.versions.common ?? 'of unknown version'
}
