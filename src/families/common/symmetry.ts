// Which mirror images of a picture are still pictures of the same class, decided from the data before anything is trained: if
// a mirror changes nothing, mirrored probes lie as close to the other pictures of their class as the probes themselves do.
// Compared in a small block-mean space, class by class; one class that minds (a 2 among 0s and 8s) forbids the mirror for all, when
// chance is no likely reason (a sign test, Bonferroni-corrected: among hundreds of small classes one or other looks as if it minded).
import type { Pictures } from './pictures.ts'

export interface Symmetry {
  x: boolean
  y: boolean
}

/** Side of the block-mean pictures that are compared. */
const GRID = 8
/** Probes and references per class: enough to tell .35 from .5. */
const PER_CLASS = 60
/** A fair mirror wins half of the comparisons; below this share it is not fair (four standard errors at 60 probes). */
const FAIR_SHARE = 0.25
/** How often some class of a fair mirror may win so seldom by chance. */
const FALSE_ALARM = 1e-3
/** Members below which a class says nothing. */
const FEWEST = 4

/**
 * @param labels [n, K] of the same pictures
 * @param x, y whether each mirror (left-right, top-bottom) is safe
 */
export function findSymmetry(pictures: Pictures, labels: Float32Array, classCount: number): Symmetry {
  const classes = Array.from({ length: classCount }, (_, k) => membersOf(labels, classCount, k))
  const grids = new Map<number, Float32Array>()
  for (const row of classes.flat()) if (!grids.has(row)) grids.set(row, shrink(pictures, row))
  return { x: isFair(grids, classes, pictures.channels, true), y: isFair(grids, classes, pictures.channels, false) }
}

function isFair(
  grids: ReadonlyMap<number, Float32Array>,
  classes: readonly number[][],
  channels: number,
  alongX: boolean,
): boolean {
  const judgedClasses = classes.filter((rows) => rows.length >= FEWEST)
  let judged = 0
  let wins = 0
  for (const rows of judgedClasses) {
    const own = rows.map((row) => grids.get(row)!)
    let won = 0
    for (const probe of own) won += mirrorWins(own, probe, channels, alongX)
    // Small classes get the benefit of the doubt by two pseudo-probes of each outcome.
    const seldom = (won + 2) / (rows.length + 4) < FAIR_SHARE
    if (seldom && coinTail(won, rows.length) < FALSE_ALARM / judgedClasses.length) return false
    judged += rows.length
    wins += won
  }
  return judged > 0 && wins / judged > FAIR_SHARE
}

/** How likely a fair coin, tossed `tosses` times, comes up heads at most `heads` times. */
function coinTail(heads: number, tosses: number): number {
  let term = 2 ** -tosses
  let sum = 0
  for (let i = 0; i <= heads; i++) {
    sum += term
    term *= (tosses - i) / (i + 1)
  }
  return sum
}

/** 1 when the mirrored probe has the nearer nearest neighbour among the others of its class, 1/2 on a tie. */
function mirrorWins(members: readonly Float32Array[], probe: Float32Array, channels: number, alongX: boolean): number {
  const mirrored = mirror(probe, channels, alongX)
  let plain = Number.POSITIVE_INFINITY
  let turned = Number.POSITIVE_INFINITY
  for (const other of members) {
    if (other === probe) continue
    let p = 0
    let t = 0
    for (let i = 0; i < other.length; i++) {
      p += (other[i] - probe[i]) ** 2
      t += (other[i] - mirrored[i]) ** 2
    }
    plain = Math.min(plain, p)
    turned = Math.min(turned, t)
  }
  return turned < plain ? 1 : turned === plain ? 0.5 : 0
}

function mirror(picture: Float32Array, channels: number, alongX: boolean): Float32Array {
  const out = new Float32Array(picture.length)
  let to = 0
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < GRID; y++) {
      for (let x = 0; x < GRID; x++) {
        const sy = alongX ? y : GRID - 1 - y
        const sx = alongX ? GRID - 1 - x : x
        out[to++] = picture[(c * GRID + sy) * GRID + sx]
      }
    }
  }
  return out
}

function membersOf(labels: Float32Array, classCount: number, k: number): number[] {
  const rows: number[] = []
  for (let i = 0; i * classCount < labels.length && rows.length < PER_CLASS; i++) {
    if (labels[i * classCount + k] > 0.5) rows.push(i)
  }
  return rows
}

/**
 * [channels, GRID, GRID] block means of a picture; blocks overlap where sides are no multiples, so that the mirror's blocks are the
 * mirrored ones.
 */
function shrink({ data, channels, height, width }: Pictures, row: number): Float32Array {
  const out = new Float32Array(channels * GRID * GRID)
  for (let c = 0; c < channels; c++) {
    const plane = (row * channels + c) * height * width
    for (let gy = 0; gy < GRID; gy++) {
      const y0 = Math.floor((gy * height) / GRID)
      const y1 = Math.ceil(((gy + 1) * height) / GRID)
      for (let gx = 0; gx < GRID; gx++) {
        const x0 = Math.floor((gx * width) / GRID)
        const x1 = Math.ceil(((gx + 1) * width) / GRID)
        let sum = 0
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) sum += data[plane + y * width + x]
        }
        out[(c * GRID + gy) * GRID + gx] = sum / ((y1 - y0) * (x1 - x0))
      }
    }
  }
  return out
}
