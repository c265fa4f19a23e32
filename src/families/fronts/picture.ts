// Pictures as networks and feature extractors want them: [channels, rows, cols] of a fixed size, values in [0, 1] kept as bytes.
// The size comes from the data's own statistics. Pictures of other sizes are squeezed to it by an antialiased triangle filter.
import type { MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import type { ChannelStatistics } from '../../dataset/sample-statistics.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { clip, div, mul, reshape, round, sub, where } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import { resizePictures } from './resize-pictures.ts'

export interface PictureSize {
  rows: number
  cols: number
}

export interface PictureSizeOptions {
  /** Long side that larger pictures are brought to; of pictures longer than 2:1, what gives as many pixels. @default 64, where the winners of the 2019 challenge capped theirs */
  maxSide?: number
  /** Sizes other than the native one are multiples of this. @default 8 */
  multiple?: number
}

/** Native when all pictures are of one size that is small enough; else the median aspect within it. */
export function pictureSize(
  matrix: MatrixProfile,
  { maxSide = 64, multiple = 8 }: PictureSizeOptions = {},
): PictureSize {
  const rows = Math.max(1, matrix.rows.median)
  const cols = Math.max(1, matrix.cols.median)
  const fixed = matrix.rows.min === matrix.rows.max && matrix.cols.min === matrix.cols.max
  // A strip squeezed until its long side fits would keep nothing across.
  const scale = Math.min(1, Math.max(maxSide / Math.max(rows, cols), Math.sqrt(maxSide ** 2 / 2 / (rows * cols))))
  if (fixed && scale === 1) return { rows, cols }
  const snap = (size: number) => Math.max(1, Math.round((size * scale) / multiple)) * multiple
  return { rows: snap(rows), cols: snap(cols) }
}

/** Values of all training examples that are held at once, as bytes; beyond, pictures are made smaller. */
const MAX_HELD = 1e9
const SMALLEST_SIDE = 16

/** `pictureSize`, smaller where all training pictures of `planes` channels and frames would not fit in memory. */
export function heldPictureSize(
  profile: TaskProfile,
  matrix: MatrixProfile,
  maxSide: number,
  planes: number,
): PictureSize {
  for (let side = maxSide; ; side -= 8) {
    const size = pictureSize(matrix, { maxSide: side })
    if (side <= SMALLEST_SIDE || profile.trainCount * planes * size.rows * size.cols <= MAX_HELD) return size
  }
}

/** Shape [channels, rows, cols], uint8. `matrix`: which matrix of the specification holds the pictures (first step only). */
export function pictureFront(profile: TaskProfile, size?: PictureSize, matrix = 0): FrontEnd {
  const about = profile.matrices[matrix]
  const { rows, cols } = size ?? pictureSize(about)
  const { channels } = about
  return {
    key: `picture:${matrix}:${channels}x${rows}x${cols}${rangesKey(about)}`,
    base: null,
    shape: [channels, rows, cols],
    store: 'uint8',
    build(g, _x, inputs) {
      const x = inputs[matrix].matrix
      const [n, , r, c] = x.shape
      const first = x.shape[1] === 1 ? reshape(g, x, [n, r, c, channels]) : firstStep(g, x)
      return quantise(g, resizePictures(g, toUnit(g, first, about), rows, cols))
    },
  }
}

/**
 * Values further beyond the quantiles at 1 % and 99 % than so many times the distance between these are stray: 256 grays between the
 * extremes would leave a handful for all others.
 */
const QUANTILE_REACH = 3
/** Standard deviations from the mean, where the quantiles are equal or unknown. */
const REACH = 6
const BYTE = 255

export interface ValueRange {
  low: number
  high: number
}

/**
 * What is brought to [0, 1]: one range for all channels, or one for each (depth beside colours, reflectances beside an index).
 * Values in [0, 1], or whole ones that fit bytes, are coded pictures and keep one range between their extremes. Null: nothing to do.
 */
export function valueRanges(about: MatrixProfile): ValueRange[] | null {
  const { spec, values } = about
  if (spec.format === 'COMPRESSED' || (values.min >= 0 && values.max <= 1 && values.max > 0.1)) return null
  return isCoded(about) || !values.channels ? [boundedRange(values)] : values.channels.map(channelRange)
}

function isCoded({ values, integral }: MatrixProfile): boolean {
  return values.min >= 0 && values.max <= (integral ? BYTE : 1)
}

function channelRange(values: ChannelStatistics): ValueRange {
  const { min, max, q01, q99 } = values
  const reach = QUANTILE_REACH * (q99 - q01)
  return reach > 0 ? { low: Math.max(min, q01 - reach), high: Math.min(max, q99 + reach) } : boundedRange(values)
}

function boundedRange({ min, max, mean, std }: MatrixProfile['values']): ValueRange {
  if (!(max > min)) return { low: min, high: min + 1 }
  if (min >= 0 && max <= BYTE) return { low: min, high: max }
  const [low, high] = [Math.max(min, mean - REACH * std), Math.min(max, mean + REACH * std)]
  return high > low ? { low, high } : { low: min, high: max }
}

/** What `toUnit` depends on, as the end of a front's key. */
export function rangesKey(about: MatrixProfile): string {
  return (valueRanges(about) ?? []).map(({ low, high }) => `:${low}:${high}`).join('')
}

/** x: [..., channels]. Brings values to [0, 1] where they are not there by nature; missing values become the lower end. */
export function toUnit(g: GraphBuilder, x: Value, about: MatrixProfile): Value {
  if (about.spec.format === 'COMPRESSED') return x
  const ranges = valueRanges(about)
  // As few axes as can be: onnxruntime takes ten times longer for a scalar where the last of several has size 1, as gray pictures'
  // channels.
  const flat = reshape(g, x, ranges !== null && ranges.length > 1 ? [-1, ranges.length] : [-1])
  const scaled = ranges === null ? flat : rescale(g, flat, ranges)
  const known = where(g, g.op('IsNaN', [scaled]), 0, scaled)
  // Resizing would spread stray values over their neighbours.
  const cut = isCoded(about) ? known : clip(g, known, 0, 1)
  return g.refine(g.op('Reshape', [cut, g.op('Shape', [x])]), x.shape)
}

/** x: [values] for one range, else [pixels, ranges]. */
function rescale(g: GraphBuilder, x: Value, ranges: readonly ValueRange[]): Value {
  const low = ranges.map((range) => range.low)
  const width = ranges.map((range) => range.high - range.low)
  if (ranges.length === 1) return div(g, sub(g, x, low[0]), width[0])
  return div(g, sub(g, x, g.floats(low)), g.floats(width))
}

/** round(255 x) / 255 with x clipped to [0, 1]: what a byte store keeps. */
export function quantise(g: GraphBuilder, x: Value): Value {
  return mul(g, round(g, mul(g, clip(g, x, 0, 1), 255)), 1 / 255)
}

function firstStep(g: GraphBuilder, x: Value): Value {
  return g.op('Gather', [x, g.scalar(0, 'int64')], { axis: 1 })
}
