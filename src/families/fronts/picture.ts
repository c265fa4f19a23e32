// Pictures as networks and feature extractors want them: [channels, rows, cols] of a fixed size, values in [0, 1] kept as bytes.
// The size comes from the data's own statistics. Pictures of other sizes are squeezed to it by an antialiased triangle filter.
import type { MatrixProfile, TaskProfile } from '../../dataset/profile.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { clip, div, mul, reshape, round, sub, where } from '../../graph/functions.ts'
import type { FrontEnd } from '../family.ts'
import { resizePictures } from './resize-pictures.ts'

export interface PictureSize {
  rows: number
  cols: number
}

export interface PictureSizeOptions {
  /** Long side that larger pictures are brought to. @default 64, where the winners of the 2019 challenge capped theirs */
  maxSide?: number
  /** Sizes other than the native one are multiples of this. @default 8 */
  multiple?: number
}

/** Native when all pictures are of one size within `maxSide`; else the median aspect with the long side at most `maxSide`. */
export function pictureSize(
  matrix: MatrixProfile,
  { maxSide = 64, multiple = 8 }: PictureSizeOptions = {},
): PictureSize {
  const rows = Math.max(1, matrix.rows.median)
  const cols = Math.max(1, matrix.cols.median)
  const fixed = matrix.rows.min === matrix.rows.max && matrix.cols.min === matrix.cols.max
  if (fixed && Math.max(rows, cols) <= maxSide) return { rows, cols }
  const scale = Math.min(1, maxSide / Math.max(rows, cols))
  const snap = (size: number) => Math.max(1, Math.round((size * scale) / multiple)) * multiple
  return { rows: snap(rows), cols: snap(cols) }
}

/** Shape [channels, rows, cols], uint8. `matrix`: which matrix of the specification holds the pictures (first step only). */
export function pictureFront(profile: TaskProfile, size?: PictureSize, matrix = 0): FrontEnd {
  const about = profile.matrices[matrix]
  const { rows, cols } = size ?? pictureSize(about)
  const { channels } = about
  const range = valueRange(about)
  return {
    key: `picture:${matrix}:${channels}x${rows}x${cols}${range ? `:${range.low}:${range.high}` : ''}`,
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

/** Values further from the mean are stray: 256 grays between the extremes would leave a handful for all others. */
const REACH = 6
const BYTE = 255

/**
 * Values outside [0, 1] mean a matrix that is no coded picture: its sampled range is brought there, beyond bytes at most REACH
 * standard deviations around the mean. Null: nothing to do.
 */
export function valueRange({ spec, values }: MatrixProfile): { low: number; high: number } | null {
  const { min, max, mean, std } = values
  if (spec.format === 'COMPRESSED' || (min >= 0 && max <= 1 && max > 0.1)) return null
  if (!(max > min)) return { low: min, high: min + 1 }
  if (min >= 0 && max <= BYTE) return { low: min, high: max }
  const [low, high] = [Math.max(min, mean - REACH * std), Math.min(max, mean + REACH * std)]
  return high > low ? { low, high } : { low: min, high: max }
}

/** Brings values to [0, 1] where they are not there by nature; missing values become the lower end. */
export function toUnit(g: GraphBuilder, x: Value, about: MatrixProfile): Value {
  if (about.spec.format === 'COMPRESSED') return x
  const range = valueRange(about)
  // As one axis: onnxruntime takes ten times longer for a scalar where the last of several has size 1, as gray pictures' channels.
  const flat = reshape(g, x, [-1])
  const scaled = range ? div(g, sub(g, flat, range.low), range.high - range.low) : flat
  const known = where(g, g.op('IsNaN', [scaled]), 0, scaled)
  return g.refine(g.op('Reshape', [known, g.op('Shape', [x])]), x.shape)
}

/** round(255 x) / 255 with x clipped to [0, 1]: what a byte store keeps. */
export function quantise(g: GraphBuilder, x: Value): Value {
  return mul(g, round(g, mul(g, clip(g, x, 0, 1), 255)), 1 / 255)
}

function firstStep(g: GraphBuilder, x: Value): Value {
  return g.op('Gather', [x, g.scalar(0, 'int64')], { axis: 1 })
}
