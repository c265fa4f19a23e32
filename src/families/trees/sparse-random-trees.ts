// Randomised trees (see random-trees.ts) on sparse rows. A node visits only what its rows store: features to try are drawn among
// those that differ within the node, as many as a draw among all features would find there (Breiman's draw, which lets small nodes
// split at random); a threshold is judged by the rows on the side away from zero, the others are what is left.
// Missing values go with the low codes.
import type { Rng } from '../../support/rng.ts'
import type { SparseCodes } from './codes.ts'
import type { LabelLists } from './label-lists.ts'
import { quickStream } from './random-cut.ts'
import { isPure, type RandomTreeGrower, type RandomTreeOptions, WORK_PER_YIELD, writeLeaf } from './random-trees.ts'
import { MISSING_LEFT, type TreeStore } from './tree-store.ts'

/** A feature to try in a node: its entries from .. to, and its lowest and highest code there, zeros' included. */
interface Candidate {
  feature: number
  from: number
  to: number
  low: number
  high: number
  /** Code of the rows without an entry; -1 when all have one. */
  absent: number
}

export function sparseRandomTreeGrower(
  codes: SparseCodes,
  labels: LabelLists,
  options: RandomTreeOptions,
): RandomTreeGrower {
  const { classes, start, label, mass } = labels
  const { indptr, features, absent } = codes
  const featureCount = codes.bins.length
  const node = new Float64Array(classes)
  const side = new Float64Array(classes)
  // By feature, within the node: rows that store it, lowest and highest code stored, the candidate it is (-1: none).
  const stored = new Int32Array(featureCount)
  const lowest = new Uint8Array(featureCount)
  const highest = new Uint8Array(featureCount)
  const candidateOf = new Int32Array(featureCount).fill(-1)
  const touched = new Int32Array(featureCount)
  const filled = new Int32Array(Math.max(1, Math.min(options.tried, featureCount)))
  const held = new Int32Array(codes.rows)
  const goesLeft = new Uint8Array(codes.rows)
  const counts = new Int32Array(257)
  const columns = columnsOf(codes)
  const deck = Int32Array.from({ length: featureCount }, (_, f) => f)
  /** Where each row stands in the order that nodes are ranges of; -1 for rows outside the tree. */
  const place = new Int32Array(codes.rows)
  let entryRow = new Int32Array(1024)
  let entryCode = new Uint8Array(1024)
  let sorted = new Int32Array(1024)

  function* grow(store: TreeStore, rows: Int32Array, weights: Float32Array, rng: Rng): Generator<void, void, void> {
    const below = quickStream(rng)
    let work = 0
    place.fill(-1)
    for (let i = 0; i < rows.length; i++) place[rows[i]] = i
    const root = store.addNode()
    store.roots.push(root)
    const stack: number[] = [root, 0, rows.length, 0]
    while (stack.length > 0) {
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
        weight += weights[row]
        for (let p = start[row]; p < start[row + 1]; p++) node[label[p]] += weights[row] * mass[p]
      }
      if (end - begin < 2 || depth >= options.maxDepth || weight < 2 * options.minLeaf || isPure(node, weight)) {
        writeLeaf(store, at, node, weight)
        continue
      }
      let square = 0
      for (let k = 0; k < classes; k++) square += node[k] * node[k]
      const candidates = draw(rows, begin, end, below)
      work += 8 * (end - begin) + (candidates.at(-1)?.to ?? 0)
      let bestScore = square / weight + 1e-9 * weight
      let best: Candidate | null = null
      let bestCode = 0
      for (const candidate of candidates) {
        let code = candidate.low + below(candidate.high - candidate.low)
        let score = -1
        if (options.split === 'random') score = scoreAt(candidate, code, weights, weight, square)
        else ({ score, code } = bestAt(candidate, weights, weight, square))
        if (score > bestScore || (best === null && score >= 0 && options.minLeaf <= 1)) {
          bestScore = Math.max(score, bestScore)
          best = candidate
          bestCode = code
        }
      }
      if (best === null) {
        writeLeaf(store, at, node, weight)
        continue
      }
      const middle = partition(rows, begin, end, best, bestCode)
      const left = store.addNode()
      const right = store.addNode()
      store.feature[at] = best.feature
      store.rule[at] = bestCode
      store.flags[at] = MISSING_LEFT
      store.left[at] = left
      store.right[at] = right
      stack.push(right, middle, end, depth + 1, left, begin, middle, depth + 1)
    }
  }

  /** Draws features that differ within the node and gathers their entries: by whichever is less to read, columns or rows. */
  function draw(rows: Int32Array, begin: number, end: number, below: (limit: number) => number): Candidate[] {
    if (options.tried * codes.rows < 2 * featureCount * (end - begin)) {
      const candidates = drawColumns(begin, end, below)
      if (candidates.length > 0) return candidates
    }
    return drawFilled(rows, begin, end, below)
  }

  /** Draws among all features and keeps those that differ within the node, if any. */
  function drawColumns(begin: number, end: number, below: (limit: number) => number): Candidate[] {
    const candidates: Candidate[] = []
    let room = 0
    for (let drawn = 0; drawn < options.tried && drawn < featureCount; drawn++) {
      const chosen = drawn + below(featureCount - drawn)
      const f = deck[chosen]
      deck[chosen] = deck[drawn]
      deck[drawn] = f
      makeRoom(room + columns.start[f + 1] - columns.start[f])
      let to = room
      let low = 255
      let high = 0
      for (let c = columns.start[f]; c < columns.start[f + 1]; c++) {
        const at = place[columns.row[c]]
        if (at < begin || at >= end) continue
        const code = columns.code[c]
        entryRow[to] = columns.row[c]
        entryCode[to++] = code
        if (code < low) low = code
        if (code > high) high = code
      }
      if (to === room) continue
      const everywhere = to - room === end - begin
      if (!everywhere) {
        low = Math.min(low, absent[f])
        high = Math.max(high, absent[f])
      }
      if (low === high) continue
      candidates.push({ feature: f, from: room, to, low, high, absent: everywhere ? -1 : absent[f] })
      room = to
    }
    return candidates
  }

  /** Draws among the features that the node's rows fill, as many as a draw among all would find, but one at least. */
  function drawFilled(rows: Int32Array, begin: number, end: number, below: (limit: number) => number): Candidate[] {
    let seen = 0
    for (let i = begin; i < end; i++) {
      for (let p = indptr[rows[i]]; p < indptr[rows[i] + 1]; p++) {
        const f = features[p]
        const code = codes.codes[p]
        if (stored[f]++ === 0) {
          touched[seen++] = f
          lowest[f] = code
          highest[f] = code
        } else if (code < lowest[f]) lowest[f] = code
        else if (code > highest[f]) highest[f] = code
      }
    }
    const candidates: Candidate[] = []
    let room = 0
    const wanted = Math.max(1, Math.round((options.tried * seen) / featureCount))
    for (let open = 0; open < seen && candidates.length < wanted; open++) {
      const chosen = open + below(seen - open)
      const f = touched[chosen]
      touched[chosen] = touched[open]
      touched[open] = f
      const everywhere = stored[f] === end - begin
      if (everywhere && lowest[f] === highest[f]) continue
      candidateOf[f] = candidates.length
      filled[candidates.length] = room
      candidates.push({
        feature: f,
        from: room,
        to: room + stored[f],
        low: everywhere ? lowest[f] : Math.min(lowest[f], absent[f]),
        high: everywhere ? highest[f] : Math.max(highest[f], absent[f]),
        absent: everywhere ? -1 : absent[f],
      })
      room += stored[f]
    }
    makeRoom(room)
    for (let i = begin; i < end; i++) {
      for (let p = indptr[rows[i]]; p < indptr[rows[i] + 1]; p++) {
        const c = candidateOf[features[p]]
        if (c < 0) continue
        entryRow[filled[c]] = rows[i]
        entryCode[filled[c]++] = codes.codes[p]
      }
    }
    for (let t = 0; t < seen; t++) {
      stored[touched[t]] = 0
      candidateOf[touched[t]] = -1
    }
    return candidates
  }

  /** For so many entries of candidates; those that are there stay. */
  function makeRoom(entries: number): void {
    if (entries <= entryRow.length) return
    const rowsBefore = entryRow
    const codesBefore = entryCode
    entryRow = new Int32Array(entries * 2)
    entryCode = new Uint8Array(entries * 2)
    sorted = new Int32Array(entries * 2)
    entryRow.set(rowsBefore)
    entryCode.set(codesBefore)
  }

  /** Gini score of one threshold (see random-trees.ts); -1 when a side is too small. */
  function scoreAt(candidate: Candidate, code: number, weights: Float32Array, weight: number, square: number): number {
    // The side without the rows that have no entry; either will do when all have one.
    const high = candidate.absent >= 0 && candidate.absent <= code
    side.fill(0)
    const sums = { square: 0, cross: 0, weight: 0 }
    for (let e = candidate.from; e < candidate.to; e++) {
      if (entryCode[e] > code === high) join(entryRow[e], weights, sums)
    }
    return scoreOf(sums, weight, square)
  }

  /** The best threshold: from either end towards zero, entries join the side that zeros are not on. */
  function bestAt(candidate: Candidate, weights: Float32Array, weight: number, square: number) {
    const { from, to, absent: zero } = candidate
    sortEntries(candidate)
    let score = -1
    let code = candidate.low
    side.fill(0)
    let sums = { square: 0, cross: 0, weight: 0 }
    for (let s = from; s < to && (zero < 0 || entryCode[sorted[s]] < zero); s++) {
      join(entryRow[sorted[s]], weights, sums)
      const here = entryCode[sorted[s]]
      if (here === candidate.high || (s + 1 < to && entryCode[sorted[s + 1]] === here)) continue
      const found = scoreOf(sums, weight, square)
      if (found > score) {
        score = found
        code = here
      }
    }
    if (zero < 0) return { score, code }
    side.fill(0)
    sums = { square: 0, cross: 0, weight: 0 }
    for (let s = to - 1; s >= from && entryCode[sorted[s]] > zero; s--) {
      join(entryRow[sorted[s]], weights, sums)
      const here = entryCode[sorted[s]]
      if (s > from && entryCode[sorted[s - 1]] === here) continue
      const found = scoreOf(sums, weight, square)
      if (found > score) {
        score = found
        code = here - 1
      }
    }
    return { score, code }
  }

  function join(row: number, weights: Float32Array, sums: { square: number; cross: number; weight: number }): void {
    const w = weights[row]
    sums.weight += w
    for (let p = start[row]; p < start[row + 1]; p++) {
      const k = label[p]
      const m = w * mass[p]
      sums.square += m * (2 * side[k] + m)
      sums.cross += m * node[k]
      side[k] += m
    }
  }

  function scoreOf(sums: { square: number; cross: number; weight: number }, weight: number, square: number): number {
    const rest = weight - sums.weight
    if (sums.weight < options.minLeaf || rest < options.minLeaf) return -1
    return sums.square / sums.weight + (square - 2 * sums.cross + sums.square) / rest
  }

  /** Fills sorted[from..to) with entry numbers by ascending code. */
  function sortEntries({ from, to }: Candidate): void {
    counts.fill(0)
    for (let e = from; e < to; e++) counts[entryCode[e] + 1]++
    for (let c = 0; c < 256; c++) counts[c + 1] += counts[c]
    for (let e = from; e < to; e++) sorted[from + counts[entryCode[e]]++] = e
  }

  function partition(rows: Int32Array, begin: number, end: number, best: Candidate, code: number): number {
    const zeroLeft = best.absent >= 0 && best.absent <= code ? 1 : 0
    for (let i = begin; i < end; i++) goesLeft[rows[i]] = zeroLeft
    for (let e = best.from; e < best.to; e++) goesLeft[entryRow[e]] = entryCode[e] <= code ? 1 : 0
    let left = begin
    let right = 0
    for (let i = begin; i < end; i++) {
      const row = rows[i]
      if (goesLeft[row] === 1) rows[left++] = row
      else held[right++] = row
    }
    for (let i = 0; i < right; i++) rows[left + i] = held[i]
    for (let i = begin; i < end; i++) place[rows[i]] = i
    return left
  }

  return { grow }
}

/** The same entries by feature. */
interface Columns {
  /** [features + 1] */
  start: Int32Array
  /** [entries] */
  row: Int32Array
  /** [entries] */
  code: Uint8Array
}

/** Kept while the codes are in use: all parts of a validation plan grow on the same ones. */
const kept = new WeakMap<SparseCodes, Columns>()

function columnsOf(codes: SparseCodes): Columns {
  const known = kept.get(codes)
  if (known !== undefined) return known
  const { indptr, features, rows } = codes
  const entries = indptr[rows]
  const start = new Int32Array(codes.bins.length + 1)
  for (let p = 0; p < entries; p++) start[features[p] + 1]++
  for (let f = 0; f < codes.bins.length; f++) start[f + 1] += start[f]
  const next = start.slice()
  const columns: Columns = { start, row: new Int32Array(entries), code: new Uint8Array(entries) }
  for (let i = 0; i < rows; i++) {
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      const at = next[features[p]]++
      columns.row[at] = i
      columns.code[at] = codes.codes[p]
    }
  }
  kept.set(codes, columns)
  return columns
}
