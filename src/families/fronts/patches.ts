// Features from patches of the data themselves (Coates, Lee & Ng 2011; Coates & Ng 2012): patches of contrast-normalised pictures
// are whitened, a dictionary is found by spherical k-means, each position is coded by a soft threshold of its products with the
// dictionary, and codes are averaged over a coarse grid. Whitening and dictionary fold into one convolution. Differs from the paper
// in normalising contrast per pixel neighbourhood instead of per patch, and in whitening by a Cholesky factor: k-means on products
// does not see rotations, so that is as good as ZCA and needs no eigenvectors.
import type { Engine } from '../../engine/engine.ts'
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import { averagePool, conv, gemm, relu, reshape } from '../../graph/functions.ts'
import type { Rng } from '../../support/rng.ts'
import { choleskyInPlace, invertLower } from '../common/cholesky.ts'
import { fingerprint } from '../common/fingerprint.ts'
import type { FrontEnd } from '../family.ts'
import { localContrast } from './local-contrast.ts'

export interface PatchOptions {
  /** Dictionary size; a multiple of 16 keeps convolutions blocked. */
  filters: number
  /** Side of a patch in pixels. */
  side: number
  /** Pixels from patch to patch. */
  stride: number
  /** Cells of the pooling grid along each axis. @default 2, the quadrants of the paper */
  grid?: number
}

/** Values of a patch at most: whitening takes its square for every patch drawn. */
const MOST_VALUES = 450

/**
 * Sized to pictures [channels, rows, cols]: about 14 positions along the long side, patches a fifth of it at most, and smaller the
 * more channels there are. Null where even four pixels have too many values.
 */
export function patchOptions([channels, rows, cols]: readonly number[], filters: number): PatchOptions | null {
  const long = Math.max(rows, cols)
  const short = Math.min(rows, cols)
  const fitting = Math.floor(Math.sqrt(MOST_VALUES / channels))
  const side = Math.max(1, Math.min(short, long < 20 ? 4 : long <= 48 ? 6 : 8, fitting))
  if (fitting < Math.min(2, short)) return null
  return { filters, side, stride: Math.max(1, Math.round((long - side + 1) / 14)) }
}

/** Added to the patches' covariance before whitening, of contrast-normalised pixels. */
const WHITENING_NOISE = 0.05
const ROUNDS = 8
/** Share of codes that should be above the threshold. */
const ACTIVE = 0.15
/** Multiply-adds between two safe points while patches are whitened. */
const YIELD_WORK = 5e7

/** Local contrast is taken over windows a little wider than a patch. */
const neighbourhood = (side: number) => side + 1 + (side % 2)

/**
 * Learns a dictionary from pictures [m, channels, rows, cols] in [0, 1] and returns the front end on `base`. Yields rounds done.
 * Shape [filters * grid * grid].
 */
export async function* fitPatches(
  engine: Engine,
  base: FrontEnd,
  pictures: Float32Array,
  options: PatchOptions,
  rng: Rng,
): AsyncGenerator<number, FrontEnd, void> {
  const [channels, rows, cols] = base.shape
  const { side, filters, stride, grid = 2 } = options
  const d = channels * side * side
  const normalised = await contrastOf(engine, pictures, base.shape, side)
  const count = Math.max(4 * filters, Math.min(40_000, 40 * filters))
  const patches = drawPatches(normalised, base.shape, side, count, rng.split('patches'))
  yield 0
  const { mean, whiten } = yield* whitening(patches, d)
  const white = yield* applyWhitening(patches, d, mean, whiten)
  yield 1
  const dictionary = yield* sphericalKMeans(engine, white, d, filters, rng.split('dictionary'))
  const threshold = await activationThreshold(engine, white, d, dictionary)
  const { weights, bias } = foldFilters(dictionary, whiten, mean, d, threshold)
  const positions = { rows: Math.floor((rows - side) / stride) + 1, cols: Math.floor((cols - side) / stride) + 1 }
  const cells = { rows: Math.min(grid, positions.rows), cols: Math.min(grid, positions.cols) }
  return {
    key: `${base.key}|patches:${side}/${stride}:${filters}:${grid}:${fingerprint(weights, bias)}`,
    base,
    shape: [filters * cells.rows * cells.cols],
    store: 'float32',
    build(g, x) {
      const contrast = localContrast(g, x!, neighbourhood(side))
      const kernel = g.constant(weights, [filters, channels, side, side])
      const codes = relu(g, conv(g, contrast, kernel, g.constant(bias, [filters]), { strides: stride }))
      return reshape(g, poolGrid(g, codes, positions, cells), [-1, filters * cells.rows * cells.cols])
    },
  }
}

interface Size {
  rows: number
  cols: number
}

/** Means over a grid of windows that cover all positions; windows overlap by less than a position each. */
function poolGrid(g: GraphBuilder, codes: Value, positions: Size, cells: Size): Value {
  const window = [Math.ceil(positions.rows / cells.rows), Math.ceil(positions.cols / cells.cols)]
  const strides = [
    cells.rows > 1 ? Math.floor((positions.rows - window[0]) / (cells.rows - 1)) : 1,
    cells.cols > 1 ? Math.floor((positions.cols - window[1]) / (cells.cols - 1)) : 1,
  ]
  const pooled = averagePool(g, codes, window, { strides: strides.map((s) => Math.max(1, s)) })
  return pooled.shape[2] === cells.rows && pooled.shape[3] === cells.cols
    ? pooled
    : g.op('Slice', [pooled, g.ints([0, 0]), g.ints([cells.rows, cells.cols]), g.ints([2, 3])])
}

async function contrastOf(engine: Engine, pictures: Float32Array, shape: readonly number[], side: number) {
  const g = new GraphBuilder()
  g.output('y', localContrast(g, g.input('x', 'float32', ['m', ...shape]), neighbourhood(side)))
  const executable = await engine.compile(g.build())
  try {
    const m = pictures.length / shape.reduce((a, b) => a * b, 1)
    const { y } = await executable.run({ x: { type: 'float32', shape: [m, ...shape], data: pictures } })
    return y.data as Float32Array
  } finally {
    await executable.release()
  }
}

/** [count, channels * side * side] from random pictures and positions. */
function drawPatches(
  pictures: Float32Array,
  shape: readonly number[],
  side: number,
  count: number,
  rng: Rng,
): Float32Array {
  const [channels, rows, cols] = shape
  const size = channels * rows * cols
  const m = pictures.length / size
  const patches = new Float32Array(count * channels * side * side)
  let at = 0
  for (let i = 0; i < count; i++) {
    const origin = rng.below(m) * size + rng.below(rows - side + 1) * cols + rng.below(cols - side + 1)
    for (let c = 0; c < channels; c++) {
      for (let r = 0; r < side; r++, at += side) {
        const from = origin + c * rows * cols + r * cols
        patches.set(pictures.subarray(from, from + side), at)
      }
    }
  }
  return patches
}

interface PatchWhitening {
  /** [d] */
  mean: Float64Array
  /** [d, d] lower triangular */
  whiten: Float64Array
}

/** mean [d] and L^-1 [d, d] of covariance + noise I = L L'. Yields 0, no round being done. */
function* whitening(patches: Float32Array, d: number): Generator<number, PatchWhitening, void> {
  const n = Math.min(patches.length / d, 20 * d)
  const mean = new Float64Array(d)
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j] += patches[i * d + j] / n
  const covariance = new Float64Array(d * d)
  const centred = new Float64Array(d)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < d; j++) centred[j] = patches[i * d + j] - mean[j]
    for (let j = 0; j < d; j++) {
      const factor = centred[j] / n
      for (let k = 0; k <= j; k++) covariance[j * d + k] += factor * centred[k]
    }
    if (isSafePoint(i, d)) yield 0
  }
  for (let j = 0; j < d; j++) covariance[j * d + j] += WHITENING_NOISE
  choleskyInPlace(covariance, d)
  return { mean, whiten: invertLower(covariance, d) }
}

function* applyWhitening(
  patches: Float32Array,
  d: number,
  mean: Float64Array,
  whiten: Float64Array,
): Generator<number, Float32Array, void> {
  const white = new Float32Array(patches.length)
  const centred = new Float64Array(d)
  for (let at = 0; at < patches.length; at += d) {
    for (let j = 0; j < d; j++) centred[j] = patches[at + j] - mean[j]
    for (let j = 0; j < d; j++) {
      let sum = 0
      for (let k = 0; k <= j; k++) sum += whiten[j * d + k] * centred[k]
      white[at + j] = sum
    }
    if (isSafePoint(at / d, d)) yield 0
  }
  return white
}

/** Whether so much has been done since the last safe point, after patch `index` of `d` values. */
function isSafePoint(index: number, d: number): boolean {
  const every = Math.ceil(YIELD_WORK / (d * d))
  return index % every === every - 1
}

/** [filters, d] unit rows (Coates & Ng 2012, section 2.1). Yields rounds done. */
async function* sphericalKMeans(
  engine: Engine,
  white: Float32Array,
  d: number,
  filters: number,
  rng: Rng,
): AsyncGenerator<number, Float32Array, void> {
  const n = white.length / d
  let dictionary = new Float32Array(filters * d)
  for (let k = 0; k < filters; k++) {
    const row = rng.below(n) * d
    dictionary.set(white.subarray(row, row + d), k * d)
  }
  normaliseRows(dictionary, d)
  const g = new GraphBuilder()
  const products = gemm(g, g.input('x', 'float32', ['n', d]), g.input('dictionary', 'float32', [filters, d]), null, {
    transB: true,
  })
  const [best, which] = g.ops('TopK', [products, g.ints([1])], { axis: 1 }, 2)
  g.output('best', best)
  g.output('which', which)
  const executable = await engine.compile(g.build())
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const out = await executable.run({
        x: { type: 'float32', shape: [n, d], data: white },
        dictionary: { type: 'float32', shape: [filters, d], data: dictionary },
      })
      const values = out.best.data as Float32Array
      const owners = out.which.data as BigInt64Array
      const next = dictionary.slice()
      for (let i = 0; i < n; i++) {
        const to = Number(owners[i]) * d
        for (let j = 0; j < d; j++) next[to + j] += values[i] * white[i * d + j]
      }
      normaliseRows(next, d)
      dictionary = next
      yield round + 2
    }
  } finally {
    await executable.release()
  }
  return dictionary
}

function normaliseRows(rows: Float32Array, d: number): void {
  for (let at = 0; at < rows.length; at += d) {
    let squares = 0
    for (let j = 0; j < d; j++) squares += rows[at + j] ** 2
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
    for (let j = 0; j < d; j++) rows[at + j] *= scale
  }
}

/** The value that a share ACTIVE of all products exceeds, at least 0. */
async function activationThreshold(
  engine: Engine,
  white: Float32Array,
  d: number,
  dictionary: Float32Array,
): Promise<number> {
  const n = Math.min(500, white.length / d)
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['n', d])
  g.output('y', gemm(g, x, g.constant(dictionary, [dictionary.length / d, d]), null, { transB: true }))
  const executable = await engine.compile(g.build())
  try {
    const { y } = await executable.run({ x: { type: 'float32', shape: [n, d], data: white.subarray(0, n * d) } })
    const sorted = Float32Array.from(y.data as Float32Array).sort()
    return Math.max(0, sorted[Math.floor((1 - ACTIVE) * (sorted.length - 1))])
  } finally {
    await executable.release()
  }
}

/** D L^-1 (p - mean) - threshold as a convolution. */
function foldFilters(dictionary: Float32Array, whiten: Float64Array, mean: Float64Array, d: number, threshold: number) {
  const filters = dictionary.length / d
  const weights = new Float32Array(filters * d)
  const bias = new Float32Array(filters).fill(-threshold)
  for (let f = 0; f < filters; f++) {
    for (let j = 0; j < d; j++) {
      const factor = dictionary[f * d + j]
      for (let k = 0; k <= j; k++) weights[f * d + k] += factor * whiten[j * d + k]
    }
    for (let k = 0; k < d; k++) bias[f] -= weights[f * d + k] * mean[k]
  }
  return { weights, bias }
}
