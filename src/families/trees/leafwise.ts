// Leaf-wise growth of one regression tree on gradients (Friedman 2001; Ke et al. 2017): always the leaf whose best split gains
// most. A tree has one gradient per row, or several that share the structure (Zhang & Jung 2020, GBDT-MO); gain is
// sum_d G_d^2 / (H + l2) of the children less the parent's. The histogram of the larger child is the parent's minus the smaller's.
// Missing values try both sides. Categories are sorted by G / (H + smoothing) and split in that order (Fisher 1958), both ways.
// Left out: monotone constraints, linear leaves. Long, because splits of one and of several gradients share the grower's scratch memory.
import type { Codes } from './codes.ts'
import { codeAt } from './codes.ts'
import { codeOffsets, fillHistogram, highOf, lowOf, packPair, quantum } from './histogram.ts'
import { BY_SET, MISSING_LEFT, SET_WORDS, type TreeStore } from './tree-store.ts'

export interface LeafwiseOptions {
  leaves: number
  /** Root has depth 0. */
  maxDepth: number
  /** Rows a leaf needs, estimated from hessians as LightGBM does. */
  minRows: number
  minHessian: number
  l2: number
  minGain: number
  /** Added to a category's hessian when categories are sorted: rare ones go to the middle. */
  categorySmoothing: number
  /** Extra l2 of a categorical split, which fits more freely than a threshold. */
  categoryL2: number
}

export interface Gradients {
  /** [dims, rows] first derivatives, by row of the codes. */
  first: Float32Array[]
  /** [rows] second derivatives, shared by all dims. */
  second: Float32Array
}

/** A leaf and the range of `rows` it owns. */
export interface GrownLeaf {
  node: number
  begin: number
  end: number
}

export interface GrownTree {
  root: number
  leaves: GrownLeaf[]
}

export interface Grower {
  /**
   * Adds a tree to `store`, its leaves still to be opened, and reorders rows[0..count) so that leaves own ranges of it. Yields as
   * it goes.
   * @param used features that may split, ascending
   */
  grow(
    store: TreeStore,
    rows: Int32Array,
    count: number,
    gradients: Gradients,
    used: Int32Array,
  ): Generator<void, GrownTree, void>
}

/** Row-features added to histograms between two yields: about 20 ms. */
const WORK_PER_YIELD = 1e7

/** Codes of an ordered feature in the order in which a threshold passes them; 0 is the missing value's. */
const ASCENDING = Int32Array.from({ length: 255 }, (_, i) => i + 1)

interface Leaf {
  node: number
  begin: number
  end: number
  depth: number
  histogram: Float64Array
  gain: number
  feature: number
  rule: number
  missingLeft: boolean
  set: Uint32Array | null
}

export function leafwiseGrower(codes: Codes, options: LeafwiseOptions): Grower {
  const offsets = codeOffsets(codes)
  const slots = offsets[offsets.length - 1]
  const spare: Float64Array[] = []
  let packed = new Float64Array(0)
  const gathered = new Float64Array(codes.rows)
  const held = new Int32Array(codes.rows)
  const goesLeft = new Uint8Array(256)
  const order = new Int32Array(256)
  const ratio = new Float64Array(256)

  function* grow(
    store: TreeStore,
    rows: Int32Array,
    count: number,
    gradients: Gradients,
    used: Int32Array,
  ): Generator<void, GrownTree, void> {
    const dims = gradients.first.length
    const channels = 1 + (dims >> 1)
    const scale = pack(gradients, rows, count, channels, store.roots.length)
    const root = store.addNode()
    store.roots.push(root)
    const first = leafAt(root, 0, count, 0, take(channels))
    fillHistogram(codes, offsets, rows, 0, count, packed, channels, used, gathered, first.histogram)
    findSplit(first, dims, scale, used)
    const leaves = [first]
    let work = count * used.length
    while (leaves.length < options.leaves) {
      let best = -1
      for (let i = 0; i < leaves.length; i++) if (leaves[i].gain > (best < 0 ? 0 : leaves[best].gain)) best = i
      if (best < 0) break
      const parent = leaves[best]
      const middle = partition(parent, rows)
      const left = store.addNode()
      const right = store.addNode()
      writeSplit(store, parent, left, right)
      const small = take(channels)
      const leftIsSmall = middle - parent.begin <= parent.end - middle
      const depth = parent.depth + 1
      const leftLeaf = leafAt(left, parent.begin, middle, depth, leftIsSmall ? small : parent.histogram)
      const rightLeaf = leafAt(right, middle, parent.end, depth, leftIsSmall ? parent.histogram : small)
      const { begin, end } = leftIsSmall ? leftLeaf : rightLeaf
      leaves[best] = leftLeaf
      leaves.push(rightLeaf)
      if (leaves.length < options.leaves && depth < options.maxDepth) {
        fillHistogram(codes, offsets, rows, begin, end, packed, channels, used, gathered, small)
        const large = parent.histogram
        for (let s = 0; s < channels * slots; s++) large[s] -= small[s]
        findSplit(leftLeaf, dims, scale, used)
        findSplit(rightLeaf, dims, scale, used)
        work += (end - begin) * used.length
        if (work > WORK_PER_YIELD) {
          work = 0
          yield
        }
      }
    }
    for (const leaf of leaves) spare.push(leaf.histogram)
    return { root, leaves }
  }

  function take(channels: number): Float64Array {
    const histogram = spare.pop()
    return histogram && histogram.length >= channels * slots ? histogram : new Float64Array(channels * slots)
  }

  /**
   * Rounds and pairs gradients: channel 0 is (first[0], second), channel j is (first[2j-1], first[2j]). Up or down by a draw that
   * is fixed for a row and a tree: rows alike would all be rounded the same way otherwise, and their errors add up.
   */
  function pack(
    { first, second }: Gradients,
    rows: Int32Array,
    count: number,
    channels: number,
    tree: number,
  ): Float64Array {
    const n = codes.rows
    if (packed.length < channels * n) packed = new Float64Array(channels * n)
    const scale = Float64Array.from([...first, second], (part) => quantum(part, rows, count))
    for (let c = 0; c < channels; c++) {
      const high = first[Math.max(0, 2 * c - 1)]
      const low = c === 0 ? second : 2 * c < first.length ? first[2 * c] : null
      const highScale = scale[Math.max(0, 2 * c - 1)]
      const lowScale = c === 0 ? scale[first.length] : low ? scale[2 * c] : 0
      for (let i = 0; i < count; i++) {
        const row = rows[i]
        const draw = (Math.imul(row + 1, 0x9e3779b1) + Math.imul(tree + 1, 0x85ebca6b)) >>> 0
        const up = Math.imul(draw ^ (draw >>> 15), 0x2c1b3c6d) >>> 0
        const a = Math.floor(high[row] * highScale + up * 2 ** -32)
        packed[c * n + row] = packPair(a, low ? Math.floor(low[row] * lowScale + up * 2 ** -32) : 0)
      }
    }
    for (let d = 0; d < scale.length; d++) scale[d] = 1 / scale[d]
    return scale
  }

  /** Stable, so that rows stay ascending within a leaf and memory is read forwards. Without branches: half of them would miss. */
  function partition(leaf: Leaf, rows: Int32Array): number {
    const { begin, end, feature, rule, missingLeft, set } = leaf
    for (let c = 0; c < 256; c++) goesLeft[c] = set ? (set[c >>> 5] >>> (c & 31)) & 1 : c <= rule ? 1 : 0
    if (!set) goesLeft[0] = missingLeft ? 1 : 0
    const column =
      codes.layout === 'dense' ? codes.columns.subarray(feature * codes.rows, (feature + 1) * codes.rows) : null
    let left = begin
    let right = 0
    for (let i = begin; i < end; i++) {
      const row = rows[i]
      const isLeft = goesLeft[column ? column[row] : codeAt(codes, row, feature)]
      rows[left] = row
      held[right] = row
      left += isLeft
      right += 1 - isLeft
    }
    for (let i = 0; i < right; i++) rows[left + i] = held[i]
    return left
  }

  /** Sets the leaf's best split; gain 0 when there is none. */
  function findSplit(leaf: Leaf, dims: number, scale: Float64Array, used: Int32Array): void {
    leaf.gain = 0
    const rows = leaf.end - leaf.begin
    if (rows < 2 * options.minRows || used.length === 0) return
    if (dims === 1) findSplitSingle(leaf, rows, scale, used)
    else findSplitShared(leaf, rows, dims, scale, used)
  }

  function findSplitSingle(leaf: Leaf, rows: number, scale: Float64Array, used: Int32Array): void {
    const { histogram } = leaf
    const { l2 } = options
    const gScale = scale[0]
    const hScale = scale[1]
    let pair = 0
    for (let s = offsets[used[0]]; s < offsets[used[0] + 1]; s++) pair += histogram[s]
    const G = highOf(pair) * gScale
    const H = lowOf(pair) * hScale
    const least = Math.max(options.minHessian, (options.minRows * H) / rows)
    const floor = (G * G) / (H + l2) + options.minGain
    let bestScore = floor
    for (let u = 0; u < used.length; u++) {
      const f = used[u]
      const base = offsets[f]
      const codeCount = offsets[f + 1] - base
      if (codes.bins[f].values !== null) {
        bestScore = findCategories(leaf, f, G, H, gScale, hScale, least, floor, bestScore)
        continue
      }
      const missing = histogram[base]
      for (let side = missing === 0 ? 1 : 0; side < 2; side++) {
        let sum = side === 0 ? missing : 0
        for (let c = 1; c < codeCount - (side === 0 || missing === 0 ? 1 : 0); c++) {
          const here = histogram[base + c]
          if (here === 0) continue
          sum += here
          const gUnits = Math.floor(sum / 134217728 + 0.5)
          const hl = (sum - gUnits * 134217728) * hScale
          if (hl < least) continue
          const hr = H - hl
          if (hr < least) break
          const gl = gUnits * gScale
          const gr = G - gl
          const score = (gl * gl) / (hl + l2) + (gr * gr) / (hr + l2)
          if (score > bestScore) {
            bestScore = score
            leaf.feature = f
            leaf.rule = c
            leaf.set = null
            leaf.missingLeft = missing === 0 ? hl >= hr : side === 0
          }
        }
      }
    }
    if (bestScore > floor) leaf.gain = bestScore - floor
  }

  function findCategories(
    leaf: Leaf,
    f: number,
    G: number,
    H: number,
    gScale: number,
    hScale: number,
    least: number,
    floor: number,
    bestSoFar: number,
  ): number {
    const { histogram } = leaf
    const base = offsets[f]
    const l2 = options.l2 + options.categoryL2
    const sorted = sortedNames(histogram, f, gScale, hScale)
    // The penalty applies to the whole split, so the parent's score is set against it at the same l2.
    const shift = floor - options.minGain - (G * G) / (H + l2)
    let bestScore = bestSoFar
    let bestCount = 0
    let sum = 0
    for (let i = 0; i + 1 < sorted.length; i++) {
      sum += histogram[base + sorted[i]]
      const gl = highOf(sum) * gScale
      const hl = lowOf(sum) * hScale
      if (hl < least) continue
      const hr = H - hl
      if (hr < least) break
      const gr = G - gl
      const score = (gl * gl) / (hl + l2) + (gr * gr) / (hr + l2) + shift
      if (score > bestScore) {
        bestScore = score
        bestCount = i + 1
      }
    }
    if (bestCount > 0) chooseNames(leaf, f, sorted, bestCount)
    return bestScore
  }

  /** Splits a leaf by the first `count` of the sorted categories. */
  function chooseNames(leaf: Leaf, f: number, sorted: Int32Array, count: number): void {
    // The smaller side is named, and never the one with values unknown to the bins: those are in no list.
    const set = new Uint32Array(SET_WORDS)
    const unknown = offsets[f + 1] - offsets[f] - 1
    const front = sorted.subarray(0, count)
    const back = sorted.subarray(count)
    const nameFront = back.includes(unknown) || (!front.includes(unknown) && count * 2 <= sorted.length)
    for (const c of nameFront ? front : back) set[c >>> 5] |= 1 << (c & 31)
    leaf.feature = f
    leaf.rule = 0
    leaf.set = set
    leaf.missingLeft = (set[0] & 1) === 1
  }

  /** The categories present in a histogram's first pair, by G / (H + smoothing), ascending. */
  function sortedNames(histogram: Float64Array, f: number, gScale: number, hScale: number): Int32Array {
    const base = offsets[f]
    let present = 0
    for (let c = 0; c < offsets[f + 1] - base; c++) {
      const here = histogram[base + c]
      if (here === 0) continue
      order[present++] = c
      ratio[c] = (highOf(here) * gScale) / (lowOf(here) * hScale + options.categorySmoothing)
    }
    return order.subarray(0, present).sort((a, b) => ratio[a] - ratio[b] || a - b)
  }

  /**
   * Several gradients share the structure; the hessian rides with the first, and by its gradient categories are sorted: a random
   * direction of all outputs in each round (booster.ts).
   */
  function findSplitShared(leaf: Leaf, rows: number, dims: number, scale: Float64Array, used: Int32Array): void {
    const { histogram } = leaf
    const channels = 1 + (dims >> 1)
    const hScale = scale[dims]
    const G = new Float64Array(dims)
    const sums = new Float64Array(channels)
    for (let c = 0; c < channels; c++) {
      for (let s = offsets[used[0]]; s < offsets[used[0] + 1]; s++) sums[c] += histogram[c * slots + s]
    }
    const H = lowOf(sums[0]) * hScale
    let parent = 0
    for (let d = 0; d < dims; d++) {
      const pair = sums[(d + 1) >> 1]
      G[d] = (d === 0 || (d & 1) === 1 ? highOf(pair) : lowOf(pair)) * scale[d]
      parent += G[d] * G[d]
    }
    const least = Math.max(options.minHessian, (options.minRows * H) / rows)
    const floor = parent / (H + options.l2) + options.minGain
    let bestScore = floor
    for (let u = 0; u < used.length; u++) {
      const f = used[u]
      const base = offsets[f]
      const codeCount = offsets[f + 1] - base
      const named = codes.bins[f].values !== null
      const l2 = options.l2 + (named ? options.categoryL2 : 0)
      // The penalty of names applies to the whole split, so the parent's score is set against it at the same l2.
      const shift = named ? parent / (options.l2 + H) - parent / (l2 + H) : 0
      const sorted = named ? sortedNames(histogram, f, scale[0], hScale) : ASCENDING
      // A missing value is one more name, but must be sent to one of two sides of a threshold.
      const missing = named ? 0 : histogram[base]
      for (let side = missing === 0 ? 1 : 0; side < 2; side++) {
        for (let c = 0; c < channels; c++) sums[c] = side === 0 ? histogram[c * slots + base] : 0
        const count = named ? sorted.length - 1 : codeCount - (side === 0 || missing === 0 ? 2 : 1)
        let bestCount = 0
        for (let i = 0; i < count; i++) {
          const code = sorted[i]
          if (histogram[base + code] === 0) continue
          for (let c = 0; c < channels; c++) sums[c] += histogram[c * slots + base + code]
          const g0 = highOf(sums[0])
          const hl = (sums[0] - g0 * 134217728) * hScale
          if (hl < least) continue
          const hr = H - hl
          if (hr < least) break
          const first = g0 * scale[0]
          let left = first * first
          let right = (G[0] - first) * (G[0] - first)
          for (let c = 1; c < channels; c++) {
            const high = highOf(sums[c])
            const a = high * scale[2 * c - 1]
            left += a * a
            right += (G[2 * c - 1] - a) * (G[2 * c - 1] - a)
            if (2 * c < dims) {
              const b = (sums[c] - high * 134217728) * scale[2 * c]
              left += b * b
              right += (G[2 * c] - b) * (G[2 * c] - b)
            }
          }
          const score = left / (hl + l2) + right / (hr + l2) + shift
          if (score > bestScore) {
            bestScore = score
            bestCount = i + 1
            if (named) continue
            leaf.feature = f
            leaf.rule = code
            leaf.set = null
            leaf.missingLeft = missing === 0 ? hl >= hr : side === 0
          }
        }
        if (named && bestCount > 0) chooseNames(leaf, f, sorted, bestCount)
      }
    }
    if (bestScore > floor) leaf.gain = bestScore - floor
  }

  return { grow }
}

function leafAt(node: number, begin: number, end: number, depth: number, histogram: Float64Array): Leaf {
  return { node, begin, end, depth, histogram, gain: 0, feature: -1, rule: 0, missingLeft: false, set: null }
}

function writeSplit(store: TreeStore, leaf: Leaf, left: number, right: number): void {
  const { node } = leaf
  store.feature[node] = leaf.feature
  store.left[node] = left
  store.right[node] = right
  store.flags[node] = (leaf.missingLeft ? MISSING_LEFT : 0) | (leaf.set ? BY_SET : 0)
  store.rule[node] = leaf.set ? store.addSet(leaf.set) : leaf.rule
}
