// A branch of a joined network for each matrix by its own kind: pictures, frames of videos and spectrograms by convolutions, series by
// an InceptionTime, token ids by a TextCNN, columns by a dense layer. A branch is a front, whose outputs are kept side by side with the
// others', and layers, in sizes from small to large, so that the network can follow the time there is.
import type { TaskProfile } from '../../dataset/profile.ts'
import { relu, slice } from '../../graph/functions.ts'
import { linear } from '../../graph/layers/linear.ts'
import { batchNorm } from '../../graph/layers/normalization.ts'
import type { Rng } from '../../support/rng.ts'
import { thin } from '../common/collect-features.ts'
import { allRows } from '../common/train-classical.ts'
import type { FrontEnd, HyperParams, ModelInput, TrialContext } from '../family.ts'
import { framesFront } from '../fronts/frames.ts'
import { logMelFront } from '../fronts/log-mel.ts'
import { pictureFront, pictureSize } from '../fronts/picture.ts'
import { tableFront } from '../fronts/table.ts'
import { seriesFront } from './fronts/series-front.ts'
import { tokenFront, UNKNOWN } from './fronts/token-front.ts'
import type { BranchLayers } from './joined-network.ts'
import { pictureFeatures, pictureMacs, stagesFor } from './picture-network.ts'
import { seriesFeatures, seriesMacs } from './series-network.ts'
import { documentCounts, tokensOf } from './text/tokens.ts'
import { lengthFor } from './text-cnn.ts'
import { textFeatures, textMacs } from './text-network.ts'

export interface Branch {
  front: FrontEnd
  /** Channels whose moments the layers ask for, each a run of equally many values; 0: none. */
  channels: number
  layers(level: Level, moments: Moments): BranchLayers
  /** Changes one example's values in place, for training. */
  augment(x: Float32Array, rng: Rng): void
}

export interface Moments {
  mean: number[]
  deviation: number[]
}

/** Sizes of the convolutional branches. */
export const LEVELS = [
  { picture: 16, series: 8 },
  { picture: 24, series: 8 },
  { picture: 32, series: 16 },
  { picture: 48, series: 16 },
  { picture: 64, series: 32 },
] as const
export type Level = (typeof LEVELS)[number]

/** How a matrix is read; null: it is left out, since its size varies along more than time, or it has too many columns. */
export type Reading = 'picture' | 'frames' | 'sound' | 'series' | 'tokens' | 'columns'

/** Values that all examples' fronts may make together, 4 bytes each. */
const MAX_VALUES = 5e7
/** The widest matrix of columns taken. */
const MAX_COLUMNS = 4000
/** Values looked at to place pieces. */
const LOOKED_VALUES = 5e6
const MOST_TOKENS = 20_000
/** Frames of a video; one stack of channels. */
const FRAMES = 4
const SMALLEST_SIDE = 16

export function readingOf(profile: TaskProfile, matrix: number): Reading | null {
  switch (profile.kinds[matrix]) {
    case 'image':
      return 'picture'
    case 'video':
      return 'frames'
    case 'audio':
      return 'sound'
    case 'text':
      return 'tokens'
    case 'series':
      // What stays the same while another matrix runs on is stated once per example.
      if (profile.matrices[matrix].steps.max === 1 && profile.spec.sequenceSize < 0)
        return columnsOrNone(profile, matrix)
      return seriesFront(profile, 2, matrix) === null ? null : 'series'
    case 'table':
      return columnsOrNone(profile, matrix)
  }
}

function columnsOrNone(profile: TaskProfile, matrix: number): Reading | null {
  const { steps, rows, cols } = profile.matrices[matrix]
  if ([steps, rows, cols].some(({ min, max }) => min !== max)) return null
  const width = columnsOf(profile, matrix)
  return width <= MAX_COLUMNS && width * profile.trainCount <= MAX_VALUES ? 'columns' : null
}

function columnsOf(profile: TaskProfile, matrix: number): number {
  const { steps, rows, cols, channels } = profile.matrices[matrix]
  return steps.max * rows.max * cols.max * channels
}

/** Branches of all matrices that can be read, in their order. */
export async function branchesOf(trial: TrialContext): Promise<Branch[]> {
  const { profile } = trial
  const readings = profile.matrices.map((_, matrix) => readingOf(profile, matrix))
  const fitted = new Map<number, Branch>()
  for (const [matrix, reading] of readings.entries()) {
    if (reading === 'tokens') fitted.set(matrix, await tokenBranch(trial, matrix))
    if (reading === 'columns') fitted.set(matrix, await columnBranch(trial, matrix))
  }
  const taken = [...fitted.values()].reduce((sum, { front }) => sum + front.shape[0], 0)
  const others = readings.filter((reading) => reading !== null).length - fitted.size
  const room = Math.max(0, MAX_VALUES / profile.trainCount - taken) / Math.max(1, others)
  const branches = readings.map((reading, matrix) => {
    switch (reading) {
      case 'picture':
      case 'frames':
        return pictureBranch(profile, trial.params, matrix, room)
      case 'sound':
        return soundBranch(profile, trial.params, matrix, room)
      case 'series':
        return seriesBranch(profile, trial.params, matrix, room)
      default:
        return fitted.get(matrix) ?? null
    }
  })
  return branches.filter((branch) => branch !== null)
}

function pictureBranch(profile: TaskProfile, params: HyperParams, matrix: number, room: number): Branch {
  const about = profile.matrices[matrix]
  const frames = profile.kinds[matrix] === 'video' ? Math.max(1, Math.min(FRAMES, about.steps.max)) : 1
  let side = Number(params.side)
  const sized = () => pictureSize(about, { maxSide: side })
  while (side > SMALLEST_SIDE && frames * about.channels * sized().rows * sized().cols > room) side -= 8
  const front = frames > 1 ? framesFront(profile, frames, sized(), matrix) : pictureFront(profile, sized(), matrix)
  const [height, width] = front.shape.slice(-2)
  return convolutional(front, frames * about.channels, height, width, {
    across: Math.round(Number(params.shift) * width),
    down: Math.round(Number(params.shift) * height),
  })
}

function soundBranch(profile: TaskProfile, params: HyperParams, matrix: number, room: number): Branch {
  let maxFrames = 128
  const made = () => logMelFront(profile, { maxFrames }, matrix)
  while (maxFrames > 32 && made().shape[1] * made().shape[2] > room) maxFrames /= 2
  const [, height, width] = made().shape
  return convolutional(made(), 1, height, width, { across: Math.round(Number(params.shift) * width), down: 0 })
}

/** Largest moves in training, in pixels. */
interface Reach {
  across: number
  down: number
}

function convolutional(front: FrontEnd, channels: number, height: number, width: number, reach: Reach): Branch {
  const size = { channels, height, width }
  const { stride, stages } = stagesFor(size)
  const scratch = new Float32Array(height * width)
  return {
    front,
    channels,
    layers({ picture }, moments) {
      const network = { shape: size, stride, stages, width: picture, maxWidth: 512, ...moments }
      const whole = { ...network, residual: picture >= 24, whitening: null }
      return { shape: [channels, height, width], forward: pictureFeatures(whole), macs: pictureMacs(whole) }
    },
    augment: (x, rng) => shiftPlanes(x, width, draw(reach.across, rng), draw(reach.down, rng), scratch),
  }
}

function seriesBranch(profile: TaskProfile, params: HyperParams, matrix: number, room: number): Branch {
  const channels = seriesFront(profile, 2, matrix)!.shape[0]
  const most = Math.max(32, Math.min(Number(params.steps), Math.floor(room / channels)))
  const front = seriesFront(profile, most, matrix)!
  const [, steps] = front.shape
  const scratch = new Float32Array(steps)
  return {
    front,
    channels,
    layers({ series }, moments) {
      // A single channel's own scale is what the archives of such series have settled on.
      const network = { channels, steps, filters: series, modules: 3, perExample: channels === 1, ...moments }
      return { shape: [channels, steps], forward: seriesFeatures(network), macs: seriesMacs(network) }
    },
    augment: (x, rng) => shiftPlanes(x, steps, draw(Math.round(0.03 * steps), rng), 0, scratch),
  }
}

async function tokenBranch(trial: TrialContext, matrix: number): Promise<Branch> {
  const { profile, params } = trial
  const tokens = tokensOf(await trial.data.raw('train', allRows(trial), matrix))
  const counts = documentCounts(tokens, profile.spec.vocabulary.length)
  const length = lengthFor(tokens, Number(params.length))
  const { front, size } = tokenFront(counts, length, MOST_TOKENS, profile.trainCount > 2000 ? 2 : 1)
  const network = { length, vocabulary: size, dims: 64, filters: 64, widths: [3, 5], inputDropout: 0.2 }
  const rate = Number(params.wordDropout)
  return {
    front: ofMatrix(front, matrix, (_g, input) => input),
    channels: 0,
    layers: () => ({ shape: [length], forward: textFeatures(network), macs: textMacs(network) }),
    augment(x, rng) {
      for (let j = 0; j < length; j++) if (x[j] > UNKNOWN && rate > 0 && rng.uniform() < rate) x[j] = UNKNOWN
    },
  }
}

async function columnBranch(trial: TrialContext, matrix: number): Promise<Branch> {
  const { profile, params } = trial
  const width = columnsOf(profile, matrix)
  const steps = profile.matrices[matrix].steps.max
  const looked = thin(allRows(trial), Math.max(200, LOOKED_VALUES / width))
  const values = await columnValues(trial, matrix, looked, width)
  const table = tableFront(values, looked.length, width, { pieces: Number(params.pieces) })
  const features = table.shape[0]
  const units = 128
  return {
    front: ofMatrix(table, matrix, (g, input) => ({ matrix: slice(g, input.matrix, 1, 0, steps), length: null })),
    channels: 0,
    layers: () => ({
      shape: [features],
      forward: (net, x) => relu(net.g, batchNorm(net, linear(net, x, units, { bias: false }))),
      macs: features * units,
    }),
    augment() {},
  }
}

/** [rows.length, width]; what a sparse matrix does not store is 0. */
async function columnValues(
  trial: TrialContext,
  matrix: number,
  rows: Int32Array,
  width: number,
): Promise<Float32Array> {
  const batch = await trial.data.raw('train', rows, matrix)
  const values = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    if (batch.layout === 'dense') {
      values.set(
        batch.data.subarray(batch.offsets[i], Math.min(batch.offsets[i + 1], batch.offsets[i] + width)),
        i * width,
      )
      continue
    }
    for (let k = batch.indptr[i]; k < batch.indptr[i + 1]; k++) values[i * width + batch.indices[k]] = batch.values[k]
  }
  return values
}

/** A front that reads the only matrix it is shown, shown one of several. */
function ofMatrix(
  front: FrontEnd,
  matrix: number,
  view: (g: Parameters<FrontEnd['build']>[0], input: ModelInput) => ModelInput,
): FrontEnd {
  return {
    ...front,
    key: `${matrix}:${front.key}`,
    build: (g, x, inputs) => front.build(g, x, [view(g, inputs[matrix])]),
  }
}

/** Planes of `scratch`'s size moved by whole pixels in place; their borders continue them. */
function shiftPlanes(x: Float32Array, width: number, across: number, down: number, scratch: Float32Array): void {
  if (across === 0 && down === 0) return
  const height = scratch.length / width
  for (let plane = 0; plane < x.length; plane += scratch.length) {
    scratch.set(x.subarray(plane, plane + scratch.length))
    for (let r = 0; r < height; r++) {
      const row = Math.max(0, Math.min(height - 1, r - down)) * width
      const to = plane + r * width
      for (let c = 0; c < width; c++) x[to + c] = scratch[row + Math.max(0, Math.min(width - 1, c - across))]
    }
  }
}

/** A whole number from -reach to reach. */
function draw(reach: number, rng: Rng): number {
  return reach === 0 ? 0 : rng.below(2 * reach + 1) - reach
}
