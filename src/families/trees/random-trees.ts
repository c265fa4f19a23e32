// Randomised classification trees with class frequencies in the leaves: extremely randomised trees (Geurts 2006), which try one random
// threshold on each of a few random features, and random forests (Breiman 2001), which take the best threshold on bootstrap rows.
// Impurity is Gini's, summed over classes, so several labels per row are as good as one. A candidate costs one pass over the
// node's rows whatever the number of classes: sum_k L_k^2 and sum_k L_k N_k are kept up while rows join the left side.
// Thresholds are drawn among the cuts between codes, uniformly over the values that they span.
import type { Rng } from '../../support/rng.ts'
import type { DenseCodes } from './codes.ts'
import { isSingle, type LabelLists } from './label-lists.ts'
import { areEven, drawCut, quickStream } from './random-cut.ts'
import { MISSING_LEFT, type TreeStore } from './tree-store.ts'

export interface RandomTreeOptions {
  split: 'random' | 'best'
  /** Features tried per node; constant ones don't count. */
  tried: number
  /** Rows (by weight) a leaf needs. */
  minLeaf: number
  maxDepth: number
}

/** Rows visited between two yields: about 20 ms. */
export const WORK_PER_YIELD = 4e6

export interface RandomTreeGrower {
  /**
   * Adds one tree with its leaves to `store`, yielding as it goes.
   * @param rows training rows, reordered; every row once
   * @param weights [codes.rows] row weights; rows of weight 0 must not be in `rows`
   */
  grow(store: TreeStore, rows: Int32Array, weights: Float32Array, rng: Rng): Generator<void, void, void>
}

export function randomTreeGrower(codes: DenseCodes, labels: LabelLists, options: RandomTreeOptions): RandomTreeGrower {
  const { classes, start, label, mass } = labels
  const n = codes.rows
  const featureCount = codes.bins.length
  const features = new Int32Array(featureCount)
  const held = new Int32Array(n)
  /** Cuts of features whose cuts lie unevenly; null where a draw among them needs no look at values. */
  const spaced = codes.bins.map(({ cuts }) => (areEven(cuts) ? null : cuts))
  const sorted = new Int32Array(n)
  const counts = new Int32Array(257)
  const node = new Float64Array(classes)
  const leftMass = new Float64Array(classes)
  const single = isSingle(labels)
  // A node's rows in order: what every candidate reads lies side by side.
  const localLabel = new Int32Array(n)
  const localWeight = new Float64Array(n)
  const localCode = new Uint8Array(n)

  function* grow(store: TreeStore, rows: Int32Array, weights: Float32Array, rng: Rng): Generator<void, void, void> {
    const below = quickStream(rng)
    let work = 0
    for (let f = 0; f < featureCount; f++) features[f] = f
    const root = store.addNode()
    store.roots.push(root)
    // Depth first, so that what a node learned of constant features (the first `constant` of `features`) holds for its subtree.
    const stack: number[] = [root, 0, rows.length, 0, 0]
    while (stack.length > 0) {
      let constant = stack.pop()!
      const depth = stack.pop()!
      const end = stack.pop()!
      const begin = stack.pop()!
      const at = stack.pop()!
      if (work > WORK_PER_YIELD) {
        work = 0
        yield
      }
      let weight = 0
      node.fill(0)
      for (let i = begin; i < end; i++) {
        const row = rows[i]
        const w = weights[row]
        weight += w
        localWeight[i - begin] = w
        if (single) {
          localLabel[i - begin] = label[row]
          node[label[row]] += w
        } else for (let p = start[row]; p < start[row + 1]; p++) node[label[p]] += w * mass[p]
      }
      if (end - begin < 2 || depth >= options.maxDepth || weight < 2 * options.minLeaf || isPure(node, weight)) {
        writeLeaf(store, at, node, weight)
        continue
      }
      let square = 0
      for (let k = 0; k < classes; k++) square += node[k] * node[k]
      const floor = square / weight + 1e-9 * weight
      let bestScore = floor
      let bestFeature = -1
      let bestCode = 0
      let bestMissingLeft = false
      let tried = 0
      let fallback = -1
      let fallbackCode = 0
      for (let next = constant; next < featureCount && tried < options.tried; next++) {
        const chosen = next + below(featureCount - next)
        const f = features[chosen]
        features[chosen] = features[next]
        features[next] = f
        const column = f * n
        const columns = codes.columns
        let lowest = 256
        let highest = -1
        let missing = 0
        for (let i = begin; i < end; i++) {
          const code = columns[column + rows[i]]
          localCode[i - begin] = code
          if (code === 0) missing++
          else {
            if (code < lowest) lowest = code
            if (code > highest) highest = code
          }
        }
        if (highest < 0 || (lowest === highest && missing === 0)) {
          features[next] = features[constant]
          features[constant++] = f
          continue
        }
        tried++
        work += end - begin
        const missingLeft = missing > 0 && lowest < highest && below(2) === 1
        if (options.split === 'random') {
          const cuts = spaced[f]
          const code =
            lowest === highest
              ? highest
              : cuts === null
                ? lowest + below(highest - lowest)
                : drawCut(cuts, lowest, highest, below)
          const score = scoreAt(rows, begin, end, code, missingLeft, weight, square)
          if (fallback < 0) {
            fallback = f
            fallbackCode = code
          }
          if (score > bestScore) {
            bestScore = score
            bestFeature = f
            bestCode = code
            bestMissingLeft = missingLeft
          }
        } else {
          const found = bestAt(rows, begin, end, weights, column, missingLeft, weight, square, lowest, highest)
          if (found.score > bestScore) {
            bestScore = found.score
            bestFeature = f
            bestCode = found.code
            bestMissingLeft = missingLeft
          }
        }
      }
      // A random cut that separates nothing still makes deeper cuts possible, as long as leaves stay large enough.
      if (bestFeature < 0 && fallback >= 0 && options.minLeaf <= 1) {
        bestFeature = fallback
        bestCode = fallbackCode
      }
      if (bestFeature < 0) {
        writeLeaf(store, at, node, weight)
        continue
      }
      const middle = partition(rows, begin, end, bestFeature * n, bestCode, bestMissingLeft)
      if (middle === begin || middle === end) {
        writeLeaf(store, at, node, weight)
        continue
      }
      const left = store.addNode()
      const right = store.addNode()
      store.feature[at] = bestFeature
      store.rule[at] = bestCode
      store.flags[at] = bestMissingLeft ? MISSING_LEFT : 0
      store.left[at] = left
      store.right[at] = right
      stack.push(right, middle, end, depth + 1, constant, left, begin, middle, depth + 1, constant)
    }
  }

  /** Gini score sum_k L_k^2 / L + sum_k R_k^2 / R of one threshold; -1 when a side is too small. */
  function scoreAt(
    rows: Int32Array,
    begin: number,
    end: number,
    code: number,
    missingLeft: boolean,
    weight: number,
    square: number,
  ): number {
    const least = missingLeft ? 0 : 1
    const count = end - begin
    leftMass.fill(0)
    let leftSquare = 0
    let cross = 0
    let left = 0
    for (let i = 0; i < count; i++) {
      const c = localCode[i]
      if (c > code || c < least) continue
      const w = localWeight[i]
      left += w
      if (single) {
        const k = localLabel[i]
        const before = leftMass[k]
        leftSquare += w * (2 * before + w)
        cross += w * node[k]
        leftMass[k] = before + w
        continue
      }
      const row = rows[begin + i]
      for (let p = start[row]; p < start[row + 1]; p++) {
        const k = label[p]
        const m = w * mass[p]
        leftSquare += m * (2 * leftMass[k] + m)
        cross += m * node[k]
        leftMass[k] += m
      }
    }
    const right = weight - left
    if (left < options.minLeaf || right < options.minLeaf) return -1
    return leftSquare / left + (square - 2 * cross + leftSquare) / right
  }

  /** The best threshold: rows in code order join the left side one by one. */
  function bestAt(
    rows: Int32Array,
    begin: number,
    end: number,
    weights: Float32Array,
    column: number,
    missingLeft: boolean,
    weight: number,
    square: number,
    lowest: number,
    highest: number,
  ): { score: number; code: number } {
    sortByCode(rows, begin, end, column, missingLeft ? lowest : 256)
    const columns = codes.columns
    leftMass.fill(0)
    let leftSquare = 0
    let cross = 0
    let left = 0
    let score = -1
    let best = 0
    const count = end - begin
    for (let i = 0; i < count; i++) {
      const row = sorted[i]
      const w = weights[row]
      left += w
      for (let p = start[row]; p < start[row + 1]; p++) {
        const k = label[p]
        const m = w * mass[p]
        leftSquare += m * (2 * leftMass[k] + m)
        cross += m * node[k]
        leftMass[k] += m
      }
      const here = columns[column + row]
      if (i + 1 === count || here === columns[column + sorted[i + 1]] || here === 0 || here > highest) continue
      const right = weight - left
      if (left < options.minLeaf) continue
      if (right < options.minLeaf) break
      const found = leftSquare / left + (square - 2 * cross + leftSquare) / right
      if (found > score) {
        score = found
        best = here
      }
    }
    return { score, code: best }
  }

  /** Fills `sorted` with the rows in ascending code order; missing ones stand where `missingAs` would. */
  function sortByCode(rows: Int32Array, begin: number, end: number, column: number, missingAs: number): void {
    const columns = codes.columns
    const count = end - begin
    if (count <= 24) {
      for (let i = 0; i < count; i++) {
        const row = rows[begin + i]
        const key = columns[column + row] || missingAs
        let j = i - 1
        while (j >= 0 && (columns[column + sorted[j]] || missingAs) > key) {
          sorted[j + 1] = sorted[j]
          j--
        }
        sorted[j + 1] = row
      }
      if (missingAs < 256) missingFirst(count, column)
      return
    }
    counts.fill(0)
    const zero = missingAs < 256 ? 0 : 256
    for (let i = begin; i < end; i++) counts[columns[column + rows[i]] || zero]++
    let sum = 0
    for (let c = 0; c <= 256; c++) {
      const here = counts[c]
      counts[c] = sum
      sum += here
    }
    for (let i = begin; i < end; i++) sorted[counts[columns[column + rows[i]] || zero]++] = rows[i]
  }

  /** Insertion sort keeps missing rows among the lowest code's: put them before it. */
  function missingFirst(count: number, column: number): void {
    const columns = codes.columns
    let n = 0
    for (let i = 0; i < count; i++) {
      const row = sorted[i]
      if (columns[column + row] !== 0) continue
      for (let j = i; j > n; j--) sorted[j] = sorted[j - 1]
      sorted[n++] = row
    }
  }

  function partition(
    rows: Int32Array,
    begin: number,
    end: number,
    column: number,
    code: number,
    missingLeft: boolean,
  ): number {
    const columns = codes.columns
    const least = missingLeft ? 0 : 1
    let left = begin
    let right = 0
    for (let i = begin; i < end; i++) {
      const row = rows[i]
      const c = columns[column + row]
      if (c <= code && c >= least) rows[left++] = row
      else held[right++] = row
    }
    for (let i = 0; i < right; i++) rows[left + i] = held[i]
    return left
  }

  return { grow }
}

/** Every class is on all of the node's weight or on none. */
export function isPure(masses: Float64Array, weight: number): boolean {
  for (let k = 0; k < masses.length; k++) {
    if (masses[k] > 1e-9 * weight && masses[k] < weight * (1 - 1e-9)) return false
  }
  return true
}

/** Class frequencies of a leaf. */
export function writeLeaf(store: TreeStore, at: number, masses: Float64Array, weight: number): void {
  store.openLeaf(at)
  for (let k = 0; k < masses.length; k++) if (masses[k] > 0) store.addEntry(at, k, masses[k] / weight)
}
