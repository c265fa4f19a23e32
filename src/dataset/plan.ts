// Which training rows teach and which judge. Many rows: one stratified holdout. Few: stratified folds, in which every row
// is judged once. Stratification is iterative (Sechidis et al. 2011, "On the stratification of multi-label data"): the
// rarest class is dealt first, to the part that still wants most of it; with one label per row that is plain stratification.
import type { Rng } from '../support/rng.ts'

/** Same shape as the families' ValidationPlan. */
export interface Plan {
  kind: 'holdout' | 'folds'
  folds: { train: Int32Array; validation: Int32Array }[]
  /** Validation rows of all folds, concatenated. */
  rows: Int32Array
}

/** Below this many rows a holdout would judge on under 200: too noisy to choose by. */
const FOLDS_BELOW = 1000
const MAX_FOLDS = 5
/** NAUC over this many rows is known to about 0.01, and they cost little to score. */
const MAX_HOLDOUT = 2500
const HOLDOUT_SHARE = 0.2

/**
 * @param labels [n, k], scores in [0, 1]
 * With one row, or none that could be spared, the only fold teaches and judges on the same rows.
 */
export function planValidation(labels: Float32Array, n: number, k: number, rng: Rng): Plan {
  if (n < 2) {
    const all = Int32Array.from({ length: n }, (_, i) => i)
    return { kind: 'folds', folds: [{ train: all, validation: all }], rows: all }
  }
  const rows = Int32Array.from({ length: n }, (_, i) => i)
  if (n >= FOLDS_BELOW) {
    const size = Math.min(MAX_HOLDOUT, Math.round(n * HOLDOUT_SHARE))
    const [validation, train] = stratify(labels, rows, k, [size / n, 1 - size / n], 0, rng)
    return { kind: 'holdout', folds: [{ train, validation }], rows: validation }
  }
  const folds = foldCount(labels, n, k)
  const parts = stratify(labels, rows, k, new Array<number>(folds).fill(1 / folds), 0, rng)
  const plan: Plan = { kind: 'folds', folds: [], rows: concatenate(parts) }
  for (const validation of parts) {
    const judged = new Uint8Array(n)
    for (const row of validation) judged[row] = 1
    plan.folds.push({ validation, train: rows.filter((row) => judged[row] === 0) })
  }
  return plan
}

/** `size` of `rows` with all classes in proportion, but every class at least once if it can be; ascending. */
export function stratifiedSample(
  labels: Float32Array,
  rows: Int32Array,
  k: number,
  size: number,
  rng: Rng,
): Int32Array {
  if (size >= rows.length) return rows.slice().sort()
  const share = Math.max(0, size) / rows.length
  return stratify(labels, rows, k, [share, 1 - share], 1, rng)[0]
}

/** As many folds as the smallest class that can be in all of them allows, from 2 to 5. */
function foldCount(labels: Float32Array, n: number, k: number): number {
  let smallest = n
  for (let c = 0; c < k; c++) {
    let count = 0
    for (let i = 0; i < n; i++) if (labels[i * k + c] > 0) count++
    if (count >= 2) smallest = Math.min(smallest, count)
  }
  return Math.max(2, Math.min(MAX_FOLDS, smallest, n))
}

/**
 * Deals rows into parts of the given shares (sum 1). Each part ascending.
 * @param atLeast rows of each class that the first part wants, whatever its share
 */
function stratify(
  labels: Float32Array,
  rows: Int32Array,
  k: number,
  shares: number[],
  atLeast: number,
  rng: Rng,
): Int32Array[] {
  const n = rows.length
  const order = rng.permutation(n)
  const part = new Int32Array(n).fill(-1)
  const room = partSizes(n, shares)
  const members: number[][] = Array.from({ length: k }, () => [])
  const left = new Float64Array(k)
  for (const i of order) {
    for (let c = 0, at = rows[i] * k; c < k; c++) if (labels[at + c] > 0) members[c].push(i)
  }
  for (let c = 0; c < k; c++) left[c] = members[c].length
  const wanted = shares.map((share, p) =>
    Float64Array.from(left, (count) => Math.max(count * share, p === 0 ? Math.min(atLeast, count) : 0)),
  )
  const deal = (i: number, p: number): void => {
    part[i] = p
    room[p]--
    for (let c = 0, at = rows[i] * k; c < k; c++) {
      if (labels[at + c] > 0) {
        left[c]--
        wanted[p][c]--
      }
    }
  }
  for (;;) {
    let rarest = -1
    for (let c = 0; c < k; c++) if (left[c] > 0 && (rarest < 0 || left[c] < left[rarest])) rarest = c
    if (rarest < 0) break
    for (const i of members[rarest]) if (part[i] < 0) deal(i, neediest(wanted, room, rarest, shares))
  }
  for (const i of order) if (part[i] < 0) deal(i, room.indexOf(Math.max(...room)))
  return shares.map((_, p) => rows.filter((_row, i) => part[i] === p).sort())
}

/** The part with room that wants most of a class relative to its share; then the one with most room. */
function neediest(wanted: Float64Array[], room: number[], c: number, shares: number[]): number {
  let best = -1
  for (let p = 0; p < shares.length; p++) {
    if (room[p] <= 0) continue
    if (best < 0) {
      best = p
      continue
    }
    const difference = wanted[p][c] - wanted[best][c]
    if (difference > 1e-9 || (Math.abs(difference) <= 1e-9 && room[p] > room[best])) best = p
  }
  return best
}

/** Whole sizes that sum to n, nearest to the shares. */
function partSizes(n: number, shares: number[]): number[] {
  const sizes: number[] = []
  let share = 0
  let dealt = 0
  for (const s of shares) {
    share += s
    const end = Math.round(share * n)
    sizes.push(end - dealt)
    dealt = end
  }
  return sizes
}

function concatenate(parts: Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
