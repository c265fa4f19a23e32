// Run by webgpu.test.ts in a process of its own: trains on webgpu and on the processor, and prints what it saw as one line of JSON.
import type { Tensor } from '../../src/engine/engine.ts'
import { createOnnxEngine, type OnnxDevice } from '../../src/engine/onnx/engine.ts'
import { loadOrt } from '../../src/engine/onnx/runtime.ts'
import { serializeOnnx } from '../../src/engine/onnx/serialize.ts'
import { forWebgpu } from '../../src/engine/onnx/webgpu-ops.ts'
import { createTrainer } from '../../src/engine/trainer.ts'
import { flatten, maxPool, relu } from '../../src/graph/functions.ts'
import { multiHeadAttention } from '../../src/graph/layers/attention.ts'
import { convolution } from '../../src/graph/layers/convolution.ts'
import { dropout } from '../../src/graph/layers/dropout.ts'
import { linear } from '../../src/graph/layers/linear.ts'
import { batchNorm, layerNorm } from '../../src/graph/layers/normalization.ts'
import { gru } from '../../src/graph/layers/recurrent.ts'
import { softmaxCrossEntropy } from '../../src/graph/losses.ts'
import { lower } from '../../src/graph/lowering/lower.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { simplify } from '../../src/graph/simplify/simplify.ts'
import { buildTrainingStep, type NetworkDefinition } from '../../src/graph/training-step.ts'
import { Rng } from '../../src/support/rng.ts'

const BATCH = 8
const STEPS = 20
const OPTIONS = { batch: BATCH, optimizer: adamW(), ema: true, clip: true }

const classifier = (shape: readonly number[], forward: NetworkDefinition['forward']): NetworkDefinition => ({
  inputs: { x: { type: 'float32', shape } },
  targets: { target: { type: 'float32', shape: [3] } },
  forward,
  loss: (g, logits, { target }) => softmaxCrossEntropy(g, logits, target, { labelSmoothing: 0.1 }),
})

const mlp = classifier([12], (net, { x }) => linear(net, dropout(net, relu(net.g, linear(net, x, 16)), 0.2), 3))
const convNet = classifier([2, 8, 8], (net, { x }) => {
  const h = relu(net.g, batchNorm(net, convolution(net, x, 8, [3, 3], { bias: false })))
  return linear(net, dropout(net, flatten(net.g, maxPool(net.g, h, [2, 2])), 0.2), 3)
})
/** Overlapping windows, and many equal maxima: zeros after the ReLU. */
const overlapNet = classifier([2, 8, 8], (net, { x }) => {
  const h = relu(net.g, convolution(net, x, 8, [3, 3]))
  return linear(net, flatten(net.g, maxPool(net.g, h, [3, 3], { strides: 2, pads: 1 })), 3)
})
const attention = classifier([5, 8], (net, { x }) =>
  linear(net, flatten(net.g, layerNorm(net, multiHeadAttention(net, x, 2))), 3),
)
const recurrent = classifier([5, 4], (net, { x }) => linear(net, gru(net, x, 6).last, 3))

function batchOf(shape: readonly number[]): Record<string, Tensor> {
  const rng = Rng.fromSeed(2)
  const size = shape.reduce((a, b) => a * b, BATCH)
  const target = new Float32Array(BATCH * 3)
  for (let i = 0; i < BATCH; i++) target[i * 3 + (i % 3)] = 1
  return {
    x: { type: 'float32', shape: [BATCH, ...shape], data: Float32Array.from({ length: size }, () => rng.normal()) },
    target: { type: 'float32', shape: [BATCH, 3], data: target },
  }
}

/** Losses of 20 steps, final weights, predictions, and what crossed between host and device meanwhile. */
async function train(device: OnnxDevice, definition: NetworkDefinition) {
  const engine = createOnnxEngine({ device, threads: 1 })
  const trainer = await createTrainer(engine, definition, OPTIONS)
  const training = await trainer.start(Rng.fromSeed(1))
  const batch = batchOf(definition.inputs.x.shape)
  const before = engine.usage()
  const losses: number[] = []
  for (let i = 0; i < STEPS; i++) losses.push(await training.step(batch, { lr: 0.01 }))
  const after = engine.usage()
  const predicted = await training.predict({ x: batch.x }, 'average')
  const weights = await training.weights()
  const state = await training.state()
  const again = await trainer.resume(state)
  const resumedLoss = await again.step(batch, { lr: 0.01 })
  const wentOnLoss = await training.step(batch, { lr: 0.01 })
  await again.release()
  await training.release()
  await trainer.release()
  const left = engine.usage()
  await engine.close()
  return {
    losses,
    predicted: Array.from(predicted.data as Float32Array),
    weights: Object.values(weights).flatMap((values) => Array.from(values)),
    resumedLoss,
    wentOnLoss,
    uploaded: after.uploadedBytes - before.uploadedBytes,
    downloaded: after.downloadedBytes - before.downloadedBytes,
    stateTensors: after.tensors,
    batchBytes: Object.values(batch).reduce((sum, { data }) => sum + data.byteLength, 0),
    left: { tensors: left.tensors, executables: left.executables },
  }
}

/** What onnxruntime says when a node of a step would run on the processor; null when none would. */
async function placement(definition: NetworkDefinition): Promise<string | null> {
  const ort = await loadOrt()
  const step = lower(simplify(buildTrainingStep(definition, OPTIONS).graph), { block: 0 })
  try {
    const session = await ort.InferenceSession.create(serializeOnnx(forWebgpu(step)), {
      executionProviders: ['webgpu', 'cpu'],
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    })
    await session.release()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const networks = { mlp, convNet, overlapNet, attention, recurrent }
const placements: Record<string, string | null> = {}
for (const [name, definition] of Object.entries(networks)) placements[name] = await placement(definition)
const report = {
  placements,
  mlp: { cpu: await train('cpu', mlp), webgpu: await train('webgpu', mlp) },
  convNet: { cpu: await train('cpu', convNet), webgpu: await train('webgpu', convNet) },
  overlapNet: { cpu: await train('cpu', overlapNet), webgpu: await train('webgpu', overlapNet) },
}
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.kill(process.pid, 'SIGKILL'))
