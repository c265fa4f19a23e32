// MiniRocket's transform as graph nodes (Dempster, Schmidt & Webb 2021): for each dilation one convolution with all 84 kernels, then
// the share of steps above each bias. Every second pair of kernel and dilation looks only at steps where the kernel does not
// reach over the ends. With several channels each pair adds up a random subset of them, as in the authors' multivariate code.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { cast, concat, conv, greater, reduceMean, slice, sub } from '../../graph/functions.ts'
import type { Rng } from '../../support/rng.ts'
import { fingerprint } from '../common/fingerprint.ts'
import type { FrontEnd } from '../family.ts'
import {
  convolve,
  type DilationPlan,
  KERNEL_COUNT,
  KERNEL_LENGTH,
  KERNELS,
  planDilations,
  quantileOf,
  quantiles,
} from './kernels.ts'
import { rocketTransform } from './rocket-simd.ts'
import type { SeriesShape } from './series-view.ts'

/** One dilation, kernels in the order of `order`: the padded ones first. */
export interface DilationLayer extends DilationPlan {
  /** Kernels whose outputs count at every step. */
  padded: number
  /** [84] kernel numbers */
  order: Int32Array
  /** [84, channels, 9] */
  weights: Float32Array
  /** [biases][84], by position in `order` */
  thresholds: Float32Array[]
}

/** Channels of a subset at most; its size is drawn log-uniformly, as the authors do. */
const MAX_SUBSET = 9

export interface RocketOptions {
  featuresPerKernel: number
  /** Series, or their first differences. */
  of: 'series' | 'differences'
}

/**
 * Draws channel subsets and takes biases from random examples.
 * @param x [n, channels, steps] some training examples, n >= 1
 */
export function fitLayers(x: Float32Array, shape: SeriesShape, featuresPerKernel: number, rng: Rng): DilationLayer[] {
  const { channels, steps } = shape
  const n = x.length / (channels * steps)
  const plan = planDilations(steps, featuresPerKernel)
  const all = quantiles(plan.reduce((sum, { biases }) => sum + biases, 0) * KERNEL_COUNT)
  const mixed = new Float32Array(steps)
  const output = new Float32Array(steps)
  let used = 0
  return plan.map((about, d) => {
    const isPadded = (kernel: number) => (kernel + d) % 2 === 0
    const numbers = Array.from({ length: KERNEL_COUNT }, (_, kernel) => kernel)
    const order = Int32Array.from([...numbers.filter(isPadded), ...numbers.filter((kernel) => !isPadded(kernel))])
    // Where no step is out of reach of the ends, all kernels count everywhere.
    const padded = steps > (KERNEL_LENGTH - 1) * about.dilation ? numbers.filter(isPadded).length : KERNEL_COUNT
    const weights = new Float32Array(KERNEL_COUNT * channels * KERNEL_LENGTH)
    const thresholds = Array.from({ length: about.biases }, () => new Float32Array(KERNEL_COUNT))
    for (let i = 0; i < KERNEL_COUNT; i++) {
      const positions = KERNELS[order[i]]
      const subset = drawSubset(channels, rng)
      for (const c of subset) {
        for (let j = 0; j < KERNEL_LENGTH; j++) {
          weights[(i * channels + c) * KERNEL_LENGTH + j] = positions.includes(j) ? 2 : -1
        }
      }
      const example = rng.below(n)
      mixed.fill(0)
      for (const c of subset) {
        const from = (example * channels + c) * steps
        for (let t = 0; t < steps; t++) mixed[t] += x[from + t]
      }
      convolve(mixed, positions, about.dilation, output)
      output.sort()
      for (let b = 0; b < about.biases; b++) thresholds[b][i] = quantileOf(output, all[used++])
    }
    return { ...about, padded, order, weights, thresholds }
  })
}

function drawSubset(channels: number, rng: Rng): Int32Array {
  if (channels === 1) return Int32Array.of(0)
  const largest = Math.min(channels, MAX_SUBSET)
  const size = Math.min(largest, Math.floor(2 ** (rng.uniform() * Math.log2(largest + 1))))
  return rng.permutation(channels).slice(0, Math.max(1, size))
}

/** Shape [features]. `layers` were fitted on the outputs of `base`, or on their differences. */
export function rocketFront(
  base: FrontEnd,
  shape: SeriesShape,
  parts: readonly { of: RocketOptions['of']; layers: readonly DilationLayer[] }[],
): FrontEnd {
  const features = parts.reduce(
    (sum, { layers }) => sum + layers.reduce((s, { biases }) => s + biases * KERNEL_COUNT, 0),
    0,
  )
  const constants = parts.flatMap(({ layers }) => layers.flatMap(({ weights, thresholds }) => [weights, ...thresholds]))
  let transforms: ReturnType<typeof rocketTransform>[] | null = null
  return {
    key: `minirocket:${parts.map(({ of }) => of).join()}:${fingerprint(...constants)}`,
    base,
    shape: [features],
    store: 'float32',
    build(g, x) {
      const blocks = parts.flatMap(({ of, layers }) => {
        const series = of === 'series' ? x! : differences(g, x!)
        const steps = of === 'series' ? shape.steps : shape.steps - 1
        return layers.flatMap((layer) => layerFeatures(g, series, layer, shape.channels, steps))
      })
      return concat(g, blocks, 1)
    },
    compute(x, n) {
      const stepsOf = (of: RocketOptions['of']) => (of === 'series' ? shape.steps : shape.steps - 1)
      transforms ??= parts.map(({ of, layers }) => rocketTransform(layers, shape.channels, stepsOf(of)))
      const blocks = transforms.map((transform, p) =>
        transform(parts[p].of === 'series' ? x : slopes(x, shape.steps), n),
      )
      if (blocks.length === 1) return blocks[0]
      const out = new Float32Array(n * features)
      let offset = 0
      for (const block of blocks) {
        const width = block.length / n
        for (let i = 0; i < n; i++) out.set(block.subarray(i * width, (i + 1) * width), i * features + offset)
        offset += width
      }
      return out
    },
  }
}

/** First differences: [..., steps] -> [..., steps - 1] */
export function slopes(x: Float32Array, steps: number): Float32Array {
  const rows = x.length / steps
  const out = new Float32Array(rows * (steps - 1))
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t + 1 < steps; t++) out[row * (steps - 1) + t] = x[row * steps + t + 1] - x[row * steps + t]
  }
  return out
}

/** [n, c, steps] -> [n, c, steps - 1] */
export function differences(g: GraphBuilder, x: Value): Value {
  return sub(g, slice(g, x, 2, 1, null), slice(g, x, 2, 0, -1))
}

/** Each [n, padded kernels] or [n, other kernels], one pair for every bias. */
function layerFeatures(g: GraphBuilder, x: Value, layer: DilationLayer, channels: number, steps: number): Value[] {
  const { dilation, padded, thresholds } = layer
  const reach = ((KERNEL_LENGTH - 1) / 2) * dilation
  const weights = g.constant(layer.weights, [KERNEL_COUNT, channels, KERNEL_LENGTH])
  const output = conv(g, x, weights, null, { dilations: dilation, pads: reach })
  const whole = padded === KERNEL_COUNT ? output : slice(g, output, 1, 0, padded)
  const inner = padded === KERNEL_COUNT ? null : slice(g, slice(g, output, 1, padded, null), 2, reach, steps - reach)
  return thresholds.flatMap((biases) => {
    const shares = [share(g, whole, biases.subarray(0, padded))]
    if (inner !== null) shares.push(share(g, inner, biases.subarray(padded)))
    return shares
  })
}

/** Share of steps above each kernel's bias: [n, k, steps] -> [n, k]. */
function share(g: GraphBuilder, output: Value, biases: Float32Array): Value {
  const above = greater(g, output, g.constant(biases.slice(), [1, biases.length, 1]))
  return reduceMean(g, cast(g, above, 'float32'), [2])
}
