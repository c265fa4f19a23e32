// The reference networks in TensorFlow.js on its own CPU backends, with its layers and optimizers: what an all-JavaScript program would
// use. A step of the large networks takes minutes there, so two small batches are timed and the line through them is drawn on. `adam` stands for AdamW, which
// TensorFlow.js lacks; its SGD has no weight decay, so neither is left out to its disadvantage.
import type * as Tf from '@tensorflow/tfjs'
import { bestMs, type Measured, peakBytes } from './contender.ts'
import { CLASSES, LENGTH, type Reference, TOKENS } from './networks.ts'

export type TfjsBackend = 'cpu' | 'wasm'

/** Examples of the smaller batch that is timed; the larger has twice as many. */
const SMALL: Record<string, number> = { conv3: 2, resnet9: 1, text: 1, mlp: 128 }

export async function measureTfjs({ name, batch }: Reference, backend: TfjsBackend): Promise<Measured> {
  const tf = await import('@tensorflow/tfjs')
  // A name in a variable: the package is optional, and neither compiler nor bundler should look for it.
  if (backend === 'wasm') await import(['@tensorflow', 'tfjs-backend-wasm'].join('/'))
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start`)
  const examples = SMALL[name]
  const model = networks[name](tf)
  model.compile({
    optimizer: name === 'resnet9' ? tf.train.momentum(1e-3, 0.9, true) : tf.train.adam(1e-3),
    loss: (target, output) => tf.losses.softmaxCrossEntropy(target as Tf.Tensor, output as Tf.Tensor),
  })
  async function step(count: number): Promise<number> {
    const x = inputs[name](tf, count)
    const target = tf.oneHot(tf.randomUniform([count], 0, CLASSES, 'int32'), CLASSES)
    await model.trainOnBatch(x, target)
    return bestMs(() => model.trainOnBatch(x, target), 2)
  }
  const [one, two] = [await step(examples), await step(2 * examples)]
  const stepMs = one + ((two - one) / examples) * (batch - examples)
  const peak = peakBytes()
  const x = inputs[name](tf, examples)
  const infer = async () => {
    const output = model.predict(x) as Tf.Tensor
    await output.data()
    output.dispose()
  }
  await infer()
  const inferMs = await bestMs(infer, 2)
  return {
    version: `TensorFlow.js ${tf.version.tfjs}`,
    stepMs: { [backend]: stepMs },
    examplesPerSecond: (examples / inferMs) * 1e3,
    peakBytes: peak,
    ...(2 * examples < batch && { scaledFromBatch: 2 * examples }),
  }
}

type Api = typeof Tf

const inputs: Record<string, (tf: Api, n: number) => Tf.Tensor> = {
  conv3: (tf, n) => tf.randomUniform([n, 28, 28, 1]),
  resnet9: (tf, n) => tf.randomUniform([n, 32, 32, 3]),
  text: (tf, n) => tf.randomUniform([n, LENGTH], 0, TOKENS, 'int32'),
  mlp: (tf, n) => tf.randomUniform([n, 10_000]),
}

const networks: Record<string, (tf: Api) => Tf.LayersModel> = {
  conv3({ layers, sequential }) {
    const conv = (filters: number, inputShape?: number[]) =>
      layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', ...(inputShape && { inputShape }) })
    const pool = () => layers.maxPooling2d({ poolSize: 2 })
    const body = [conv(32, [28, 28, 1]), conv(32), pool(), conv(64), pool(), layers.flatten()]
    return sequential({ layers: [...body, layers.dense({ units: CLASSES })] })
  },
  resnet9({ layers, input, model }) {
    function block(x: Tf.SymbolicTensor, filters: number, pool = false): Tf.SymbolicTensor {
      const conv = layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false }).apply(x)
      const norm = layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 }).apply(conv)
      const y = layers.reLU().apply(norm) as Tf.SymbolicTensor
      return pool ? (layers.maxPooling2d({ poolSize: 2 }).apply(y) as Tf.SymbolicTensor) : y
    }
    const add = (a: Tf.SymbolicTensor, b: Tf.SymbolicTensor) => layers.add().apply([a, b]) as Tf.SymbolicTensor
    const image = input({ shape: [32, 32, 3] })
    let x = block(block(image, 64), 128, true)
    x = add(x, block(block(x, 128), 128))
    x = block(block(x, 256, true), 512, true)
    x = add(x, block(block(x, 512), 512))
    const pooled = layers.globalMaxPooling2d({}).apply(x)
    return model({ inputs: image, outputs: layers.dense({ units: CLASSES }).apply(pooled) as Tf.SymbolicTensor })
  },
  text({ layers, sequential }) {
    const conv = () => layers.conv1d({ filters: 128, kernelSize: 5, padding: 'same', activation: 'relu' })
    const table = layers.embedding({ inputDim: TOKENS, outputDim: 128, inputLength: LENGTH })
    const head = [layers.globalMaxPooling1d(), layers.dense({ units: CLASSES })]
    return sequential({ layers: [table, conv(), conv(), conv(), ...head] })
  },
  mlp({ layers, sequential }) {
    const hidden = (inputShape?: number[]) =>
      layers.dense({ units: 512, activation: 'relu', ...(inputShape && { inputShape }) })
    return sequential({ layers: [hidden([10_000]), hidden(), layers.dense({ units: CLASSES })] })
  },
}
