// Assembles training batches of pictures: shifted, mirrored, rotated, zoomed, re-lit and partly blanked copies, uint8 in and
// out. Whole-pixel moves read through two index tables; rotation and zoom sample bilinearly. Outside the picture its mirror
// image continues it. Mixup works on an assembled batch. Elastic and colour-space changes are left out: they cost more time
// here than they earn on small networks.
import type { Rng } from '../../../support/rng.ts'
import type { Pictures } from '../../common/pictures.ts'
import type { BatchMaker } from '../learner.ts'
import type { PicturePolicy } from './picture-policy.ts'

/**
 * Writes an augmented copy of each of `rows` into `out`, [rows.length, channels, height, width].
 * @param blank [channels] the value of a blanked square
 */
export function assemblePictures(
  pictures: Pictures,
  rows: Int32Array,
  policy: PicturePolicy,
  blank: Uint8Array,
  rng: Rng,
  out: Uint8Array,
): void {
  const { channels, height, width } = pictures
  const size = channels * height * width
  const warps = policy.rotateDegrees > 0 || policy.zoom > 0
  const xs = new Int32Array(width)
  const ys = new Int32Array(height)
  const light = policy.contrast > 0 ? new Uint8Array(256) : null
  for (let i = 0; i < rows.length; i++) {
    const source = rows[i] * size
    const dx = shift(policy.shift * width, warps, rng)
    const dy = shift(policy.shift * height, warps, rng)
    const mirrorX = policy.flipX && rng.uniform() < 0.5
    const mirrorY = policy.flipY && rng.uniform() < 0.5
    if (warps) {
      const angle = ((2 * rng.uniform() - 1) * policy.rotateDegrees * Math.PI) / 180
      const factor = Math.exp((2 * rng.uniform() - 1) * policy.zoom)
      warp(pictures, source, { dx, dy, mirrorX, mirrorY, angle, factor }, out, i * size)
    } else {
      fillTable(xs, dx, mirrorX)
      fillTable(ys, dy, mirrorY)
      copyThroughTables(pictures, source, xs, ys, out, i * size)
    }
    if (light) relight(light, policy.contrast, rng, out, i * size, size)
    if (policy.cutout > 0) blankSquare(pictures, policy.cutout, blank, rng, out, i * size)
  }
}

/** Batches of augmented pictures. */
export function pictureBatches(pictures: Pictures, policy: PicturePolicy, blank: Uint8Array): BatchMaker {
  return {
    fill(rows, x, targets, rng) {
      assemblePictures(pictures, rows, policy, blank, rng, x as Uint8Array)
      if (policy.mixup > 0) mixup(x, targets, rows.length, policy.mixup, rng)
    },
  }
}

/**
 * Mixes example i with example b - 1 - i in place, in `x` [b, …] and `targets` [b, K], by a share drawn from Beta(alpha, alpha)
 * per pair, rounded to 1/256 so that both mix alike.
 */
export function mixup(
  x: Uint8Array | Float32Array,
  targets: Float32Array,
  count: number,
  alpha: number,
  rng: Rng,
): void {
  const size = x.length / count
  const classes = targets.length / count
  const integral = x instanceof Uint8Array
  for (let i = 0, j = count - 1; i < j; i++, j--) {
    const drawn = beta(alpha, rng)
    const share = Math.round(256 * Math.max(drawn, 1 - drawn))
    const rest = 256 - share
    let a = i * size
    let b = j * size
    if (integral) {
      for (const end = a + size; a < end; a++, b++) {
        const u = x[a]
        const v = x[b]
        x[a] = (u * share + v * rest + 128) >> 8
        x[b] = (v * share + u * rest + 128) >> 8
      }
    } else {
      for (const end = a + size; a < end; a++, b++) {
        const u = x[a]
        const v = x[b]
        x[a] = (u * share + v * rest) / 256
        x[b] = (v * share + u * rest) / 256
      }
    }
    for (let k = 0; k < classes; k++) {
      const u = targets[i * classes + k]
      const v = targets[j * classes + k]
      targets[i * classes + k] = (u * share + v * rest) / 256
      targets[j * classes + k] = (v * share + u * rest) / 256
    }
  }
}

function shift(limit: number, fractional: boolean, rng: Rng): number {
  const drawn = (2 * rng.uniform() - 1) * limit
  return fractional ? drawn : Math.round(drawn)
}

/** table[i]: the source index of output index i after mirroring and a shift, reflected at both ends. */
function fillTable(table: Int32Array, shifted: number, mirror: boolean): void {
  const n = table.length
  for (let i = 0; i < n; i++) table[i] = reflect((mirror ? n - 1 - i : i) - shifted, n)
}

/** Mirror at the borders without repeating them: -1 -> 1, n -> n - 2. */
function reflect(index: number, n: number): number {
  if (n === 1) return 0
  const period = 2 * (n - 1)
  const at = ((index % period) + period) % period
  return at < n ? at : period - at
}

function copyThroughTables(
  pictures: Pictures,
  source: number,
  xs: Int32Array,
  ys: Int32Array,
  out: Uint8Array,
  target: number,
): void {
  const { data, channels, height, width } = pictures
  for (let c = 0; c < channels; c++) {
    const plane = source + c * height * width
    for (let y = 0; y < height; y++) {
      const row = plane + ys[y] * width
      for (let x = 0; x < width; x++) out[target++] = data[row + xs[x]]
    }
  }
}

interface Warp {
  dx: number
  dy: number
  mirrorX: boolean
  mirrorY: boolean
  /** Radians. */
  angle: number
  factor: number
}

function warp(pictures: Pictures, source: number, move: Warp, out: Uint8Array, target: number): void {
  const { data, channels, height, width } = pictures
  const plane = height * width
  const cx = (width - 1) / 2
  const cy = (height - 1) / 2
  const cos = Math.cos(move.angle) / move.factor
  const sin = Math.sin(move.angle) / move.factor
  const mx = move.mirrorX ? -1 : 1
  const my = move.mirrorY ? -1 : 1
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const px = x - cx - move.dx
      const py = y - cy - move.dy
      let sx = mx * (cos * px + sin * py) + cx
      let sy = my * (cos * py - sin * px) + cy
      if (sx < 0) sx = -sx
      if (sy < 0) sy = -sy
      if (sx > width - 1) sx = Math.max(0, 2 * (width - 1) - sx)
      if (sy > height - 1) sy = Math.max(0, 2 * (height - 1) - sy)
      const x0 = sx | 0
      const y0 = sy | 0
      const x1 = x0 + 1 < width ? 1 : 0
      const y1 = y0 + 1 < height ? width : 0
      // 8-bit weights: the taps sum to 65536.
      const fx = ((sx - x0) * 256) | 0
      const fy = ((sy - y0) * 256) | 0
      const w11 = fx * fy
      const w01 = (256 - fx) * fy
      const w10 = fx * (256 - fy)
      const w00 = 65536 - w11 - w01 - w10
      let at = source + y0 * width + x0
      let to = target + y * width + x
      for (let c = 0; c < channels; c++) {
        out[to] = (data[at] * w00 + data[at + x1] * w10 + data[at + y1] * w01 + data[at + y1 + x1] * w11 + 32768) >> 16
        at += plane
        to += plane
      }
    }
  }
}

function relight(table: Uint8Array, contrast: number, rng: Rng, out: Uint8Array, target: number, size: number): void {
  const gain = Math.exp((2 * rng.uniform() - 1) * contrast)
  const offset = (2 * rng.uniform() - 1) * contrast * 64
  for (let v = 0; v < 256; v++) table[v] = Math.max(0, Math.min(255, Math.round((v - 128) * gain + 128 + offset)))
  for (let i = target; i < target + size; i++) out[i] = table[out[i]]
}

function blankSquare(
  pictures: Pictures,
  share: number,
  blank: Uint8Array,
  rng: Rng,
  out: Uint8Array,
  target: number,
): void {
  const { channels, height, width } = pictures
  const h = Math.round(share * height)
  const w = Math.round(share * width)
  // The centre is uniform over the picture, so that the square may stick out and blank less.
  const top = rng.below(height) - (h >> 1)
  const left = rng.below(width) - (w >> 1)
  const y1 = Math.min(height, top + h)
  const x0 = Math.max(0, left)
  const x1 = Math.min(width, left + w)
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, top); y < y1; y++) {
      const row = target + (c * height + y) * width
      out.fill(blank[c], row + x0, row + x1)
    }
  }
}

/** Beta(a, a) by Johnk's method for a <= 1, which mixup uses. */
function beta(alpha: number, rng: Rng): number {
  if (alpha === 1) return rng.uniform()
  for (;;) {
    const u = rng.uniform() ** (1 / alpha)
    const v = rng.uniform() ** (1 / alpha)
    if (u + v <= 1 && u + v > 0) return u / (u + v)
  }
}
