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
/** NAUC over this many rows is known to about 0.01 where no class is rare, and they cost little to score. */
const ENOUGH_HOLDOUT = 2500
/** A larger holdout costs time at every judgement, however rare a class is: at most so many rows, and decoded bytes beyond ENOUGH_HOLDOUT. */
const MAX_HOLDOUT = { rows: 25_000, bytes: 16e6 }
const HOLDOUT_SHARE = 0.2
/** Examples of the rarer of two classes that judge a NAUC to about .05; of many classes each needs fewer, as their mean counts. */
const ENOUGH_POSITIVES = 100
/** Classes of fewer examples are judged by chance whatever the holdout: they do not enlarge it. */
const FEWEST_JUDGED = 50

/**
 * @param labels [n, k], scores in [0, 1]
 * @param twinOf [n] the first row that is a copy of each; copies stay together. null: there are none
 * @param rowBytes of a decoded example
 * With a single row, the only fold teaches and judges on it.
 */
export function planValidation(
  labels: Float32Array,
  n: number,
  k: number,
  rng: Rng,
  twinOf: Int32Array | null = null,
  rowBytes = 0,
): Plan {
  const rows = Int32Array.from({ length: n }, (_, i) => i)
  if (twinOf !== null)
    return withTwins(
      planDistinct(
        labels,
        rows.filter((row) => twinOf[row] === row),
        k,
        rng,
        rowBytes,
      ),
      twinOf,
    )
  return planDistinct(labels, rows, k, rng, rowBytes)
}

/** Twins join the rows that they are copies of. They teach, but judge only once. */
function withTwins(plan: Plan, twinOf: Int32Array): Plan {
  const folds = plan.folds.map(({ train, validation }) => {
    const teaching = new Uint8Array(twinOf.length)
    for (const row of train) teaching[row] = 1
    return { train: Int32Array.from(twinOf.keys()).filter((row) => teaching[twinOf[row]] === 1), validation }
  })
  return { ...plan, folds }
}

/** A plan for `rows`, none of which is a copy of another. */
function planDistinct(labels: Float32Array, rows: Int32Array, k: number, rng: Rng, rowBytes: number): Plan {
  const n = rows.length
  if (n < 2) return { kind: 'folds', folds: [{ train: rows, validation: rows }], rows }
  const classes = positives(labels, rows, k)
  if (n >= FOLDS_BELOW) {
    const share = holdoutRows(classes, n, rowBytes) / n
    const [validation, train] = stratify(rows, classes, [share, 1 - share], 0, rng)
    return { kind: 'holdout', folds: [{ train, validation }], rows: validation }
  }
  // A class with two examples is still taught in every fold: its rows are dealt to different ones.
  const folds = Math.max(2, Math.min(MAX_FOLDS, n))
  const parts = stratify(rows, classes, new Array<number>(folds).fill(1 / folds), 0, rng)
  return {
    kind: 'folds',
    folds: parts.map((validation) => ({ validation, train: without(rows, validation) })),
    rows: Int32Array.from(parts.flatMap((part) => [...part])),
  }
}

/** `size` of `rows` with all classes in proportion, but each at least once if it can be; ascending. */
export function stratifiedSample(
  labels: Float32Array,
  rows: Int32Array,
  k: number,
  size: number,
  rng: Rng,
): Int32Array {
  if (size >= rows.length) return rows.slice().sort()
  const share = Math.max(0, size) / rows.length
  return stratify(rows, positives(labels, rows, k), [share, 1 - share], 1, rng)[0]
}

/** Positive classes of each position in `rows`, and positions of each class: compressed sparse rows and columns. */
interface Positives {
  k: number
  /** [rows + 1] */
  start: Int32Array
  classOf: Int32Array
  /** [k] */
  counts: Int32Array
}

function positives(labels: Float32Array, rows: Int32Array, k: number): Positives {
  const start = new Int32Array(rows.length + 1)
  const counts = new Int32Array(k)
  let classOf = new Int32Array(rows.length + 16)
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    for (let c = 0, at = rows[i] * k; c < k; c++) {
      if (labels[at + c] <= 0) continue
      if (count === classOf.length) {
        const larger = new Int32Array(count * 2)
        larger.set(classOf)
        classOf = larger
      }
      classOf[count++] = c
      counts[c]++
    }
    start[i + 1] = count
  }
  return { k, start, classOf, counts }
}

/** The variance of a mean of NAUCs is a sum of each class's share in it, about 1 / its examples in the holdout, or 1 / the others if fewer. */
function holdoutRows({ counts, start }: Positives, n: number, rowBytes: number): number {
  // Of two exclusive classes one says what the other says.
  const exclusive = counts.length === 2 && start.every((at, i) => i === 0 || at - start[i - 1] < 2)
  const questions = exclusive ? 1 : counts.length
  const inverse = [...counts]
    .slice(0, questions)
    .map((count) => Math.min(count, n - count))
    .filter((rarer) => rarer >= FEWEST_JUDGED)
    .map((rarer) => 1 / rarer)
  const wanted = (n * ENOUGH_POSITIVES * inverse.reduce((sum, each) => sum + each, 0)) / questions ** 2
  const affordable = Math.min(MAX_HOLDOUT.rows, MAX_HOLDOUT.bytes / Math.max(1, rowBytes))
  return Math.round(Math.min(n * HOLDOUT_SHARE, Math.max(ENOUGH_HOLDOUT, Math.min(wanted, affordable))))
}

/**
 * Deals rows into parts of the given shares (sum 1). Each part ascending.
 * @param atLeast rows of each class that the first part wants, whatever its share
 */
function stratify(rows: Int32Array, classes: Positives, shares: number[], atLeast: number, rng: Rng): Int32Array[] {
  const { k, start, classOf } = classes
  const n = rows.length
  const parts = shares.length
  const order = rng.permutation(n)
  const members = membersByClass(classes, order)
  const left = Int32Array.from(classes.counts)
  const room = partSizes(n, shares)
  /** [parts, k] rows of each class that a part still wants. */
  const wanted = new Float64Array(parts * k)
  for (let p = 0; p < parts; p++) {
    const least = p === 0 ? atLeast : 0
    for (let c = 0; c < k; c++) wanted[p * k + c] = Math.max(left[c] * shares[p], Math.min(least, left[c]))
  }
  const part = new Int8Array(n).fill(-1)
  for (;;) {
    let rarest = -1
    for (let c = 0; c < k; c++) if (left[c] > 0 && (rarest < 0 || left[c] < left[rarest])) rarest = c
    if (rarest < 0) break
    for (let m = members.start[rarest]; m < members.start[rarest + 1]; m++) {
      const i = members.position[m]
      if (part[i] >= 0) continue
      const p = neediest(wanted, room, k, rarest)
      part[i] = p
      room[p]--
      for (let j = start[i]; j < start[i + 1]; j++) {
        left[classOf[j]]--
        wanted[p * k + classOf[j]]--
      }
    }
  }
  for (const i of order) if (part[i] < 0) room[(part[i] = fullestRoom(room))]--
  return shares.map((_, p) => collect(rows, part, p).sort())
}

/** Positions of each class's rows, in the given (random) order. */
function membersByClass(classes: Positives, order: Int32Array): { start: Int32Array; position: Int32Array } {
  const { k, start, classOf, counts } = classes
  const begin = new Int32Array(k + 1)
  for (let c = 0; c < k; c++) begin[c + 1] = begin[c] + counts[c]
  const next = begin.slice(0, k)
  const position = new Int32Array(begin[k])
  for (let o = 0; o < order.length; o++) {
    const i = order[o]
    for (let j = start[i]; j < start[i + 1]; j++) position[next[classOf[j]]++] = i
  }
  return { start: begin, position }
}

/** Of the parts with room, the one that wants most of class c; of equals, the one with most room. */
function neediest(wanted: Float64Array, room: Int32Array, k: number, c: number): number {
  let best = -1
  for (let p = 0; p < room.length; p++) {
    if (room[p] <= 0) continue
    const more = best < 0 ? 1 : wanted[p * k + c] - wanted[best * k + c]
    if (more > 1e-9 || (more > -1e-9 && room[p] > room[best])) best = p
  }
  return best
}

function fullestRoom(room: Int32Array): number {
  let best = 0
  for (let p = 1; p < room.length; p++) if (room[p] > room[best]) best = p
  return best
}

function collect(rows: Int32Array, part: Int8Array, p: number): Int32Array {
  const chosen = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) if (part[i] === p) chosen[count++] = rows[i]
  return chosen.slice(0, count)
}

function without(rows: Int32Array, removed: Int32Array): Int32Array {
  const gone = new Set(removed)
  return rows.filter((row) => !gone.has(row))
}

/** Whole sizes that sum to n, nearest to the shares. */
function partSizes(n: number, shares: number[]): Int32Array {
  const sizes = new Int32Array(shares.length)
  let share = 0
  let dealt = 0
  for (let p = 0; p < shares.length; p++) {
    share += shares[p]
    const end = p === shares.length - 1 ? n : Math.round(share * n)
    sizes[p] = end - dealt
    dealt = end
  }
  return sizes
}
