// MiniRocket's transform (10,000 features) against aeon's, with the dilations, channel subsets and biases that aeon's fit drew, so that
// both compute the very same features. One thread each: a run on series has two workers with a thread each.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FrontEnd } from '../../src/families/family.ts'
import { KERNEL_COUNT, KERNEL_LENGTH, KERNELS } from '../../src/families/series/kernels.ts'
import { type DilationLayer, rocketFront } from '../../src/families/series/minirocket-front.ts'
import { Rng } from '../../src/support/rng.ts'
import { best, report, runPeer } from './peer.ts'

const FEATURES = 10_000
interface Drawn {
  dilations: number[]
  biasesPerDilation: number[]
  channelsPerCombination: number[]
  channels: number[]
}

export async function benchMinirocket(_threads: number, repeats: number): Promise<void> {
  for (const [n, channels, steps] of [
    [200, 1, 512],
    [200, 1, 150],
    [100, 6, 256],
  ]) {
    const x = series(n, channels, steps)
    const files = { x, 'task.json': JSON.stringify({ n, channels, steps, features: FEATURES, repeats }) }
    const peer = runPeer('minirocket', files, 1, (folder, result) => ({
      drawn: result as unknown as Drawn,
      biases: floats(join(folder, 'biases')),
      features: floats(join(folder, 'features')),
    }))
    const drawn = typeof peer === 'string' ? null : peer.read
    const layers = drawn === null ? ownLayers(steps, channels) : layersOf(drawn.drawn, drawn.biases, channels, steps)
    const front = rocketFront(inputFront(channels, steps), { channels, steps }, [{ of: 'series', layers }])
    const width = front.shape[0]
    let features: Float32Array = new Float32Array(0)
    const cost = await best(repeats, async () => {
      features = front.compute!(x, n)
    })
    const check =
      drawn === null ? 'not compared' : `largest difference ${difference(features, drawn.features, n, width, layers)}`
    report(`MiniRocket, ${n} series, ${channels} x ${steps}, ${width} features`, cost, peer, 'aeon', check)
  }
}

/** Random walks with some oscillation. */
function series(n: number, channels: number, steps: number): Float32Array {
  const rng = Rng.fromSeed(3)
  const x = new Float32Array(n * channels * steps)
  for (let row = 0; row < n * channels; row++) {
    let level = 0
    const pace = 0.02 + 0.5 * rng.uniform()
    for (let t = 0; t < steps; t++) {
      level = 0.95 * level + 0.3 * rng.normal()
      x[row * steps + t] = level + Math.sin(pace * t)
    }
  }
  return x
}

const inputFront = (channels: number, steps: number): FrontEnd => ({
  key: 'input',
  base: null,
  shape: [channels, steps],
  store: 'float32',
  build: (_g, x) => x!,
})

/** aeon's draws in the family's terms. Its biases run by dilation, kernel, then quantile. */
function layersOf(drawn: Drawn, biases: Float32Array, channels: number, steps: number): DilationLayer[] {
  let combination = 0
  let channelAt = 0
  let biasAt = 0
  return drawn.dilations.map((dilation, d) => {
    const count = drawn.biasesPerDilation[d]
    const subsets: number[][] = []
    for (let k = 0; k < KERNEL_COUNT; k++) {
      const size = drawn.channelsPerCombination[combination++]
      subsets.push(drawn.channels.slice(channelAt, channelAt + size))
      channelAt += size
    }
    const own = biases.subarray(biasAt, biasAt + count * KERNEL_COUNT)
    biasAt += count * KERNEL_COUNT
    return layer(
      dilation,
      d,
      count,
      channels,
      steps,
      (k) => subsets[k],
      (k, b) => own[k * count + b],
    )
  })
}

/** As wide, for a run without the peer. */
function ownLayers(steps: number, channels: number): DilationLayer[] {
  const dilations = [1, 2, 3, 4, 6, 8, 12, 16].filter((dilation) => 8 * dilation < steps)
  const count = Math.floor(FEATURES / KERNEL_COUNT / dilations.length)
  return dilations.map((dilation, d) =>
    layer(
      dilation,
      d,
      count,
      channels,
      steps,
      () => [0],
      (_, b) => b - count / 2,
    ),
  )
}

function layer(
  dilation: number,
  d: number,
  biases: number,
  channels: number,
  steps: number,
  subset: (kernel: number) => readonly number[],
  bias: (kernel: number, b: number) => number,
): DilationLayer {
  const kernels = KERNELS.map((_, k) => k)
  const padded = kernels.filter((k) => (k + d) % 2 === 0)
  const order = Int32Array.from([...padded, ...kernels.filter((k) => (k + d) % 2 !== 0)])
  const weights = new Float32Array(KERNEL_COUNT * channels * KERNEL_LENGTH)
  order.forEach((kernel, i) => {
    for (const c of subset(kernel)) {
      for (let j = 0; j < KERNEL_LENGTH; j++) {
        weights[(i * channels + c) * KERNEL_LENGTH + j] = KERNELS[kernel].includes(j) ? 2 : -1
      }
    }
  })
  const thresholds = Array.from({ length: biases }, (_, b) => Float32Array.from(order, (kernel) => bias(kernel, b)))
  if (8 * dilation >= steps) throw new Error(`dilation ${dilation} reaches over ${steps} steps`)
  return { dilation, biases, padded: padded.length, order, weights, thresholds }
}

/** Ours run by dilation, bias, then position in `order`. Rounding moves a step across a bias now and then: also says how often. */
function difference(
  ours: Float32Array,
  theirs: Float32Array,
  n: number,
  width: number,
  layers: readonly DilationLayer[],
): string {
  let largest = 0
  let moved = 0
  let from = 0
  for (const { biases, order } of layers) {
    for (let b = 0; b < biases; b++) {
      for (let i = 0; i < KERNEL_COUNT; i++) {
        const mine = from + b * KERNEL_COUNT + i
        const other = from + order[i] * biases + b
        for (let row = 0; row < n; row++) {
          const gap = Math.abs(ours[row * width + mine] - theirs[row * width + other])
          largest = Math.max(largest, gap)
          if (gap > 1e-6) moved++
        }
      }
    }
    from += biases * KERNEL_COUNT
  }
  return `${largest.toPrecision(2)}, in ${((100 * moved) / (n * width)).toPrecision(2)} % of features`
}

function floats(path: string): Float32Array {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}
