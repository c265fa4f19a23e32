// A class's scores on the scale of their own ranks: the empirical distribution function of a member's validation scores, as a
// monotone piecewise linear map of at most KNOTS pieces. Averages of mapped scores are rank averages, but of an example alone,
// so that the exported model can compute them.
// y = sum_j w_j clip((x - a_j) / (a_{j+1} - a_j), 0, 1) with w_j >= 0 summing to 1: every term is in [0, w_j], so float32
// does not cancel even where a thousand scores crowd near 0.

/** More pieces than ranks worth telling apart on a few thousand validation rows would only remember noise. */
const KNOTS = 32

/** For K classes and J pieces, padded with pieces of weight 0. */
export interface QuantileMap {
  /** J */
  pieces: number
  /** [K, J] where piece j starts. */
  start: Float32Array
  /** [K, J] 1 / its length. */
  slope: Float32Array
  /** [K, J] how much it rises. */
  rise: Float32Array
}

/** @param scores [V, K] of a member on the validation rows */
export function fitQuantileMap(scores: Float32Array, classCount: number): QuantileMap {
  const rows = scores.length / classCount
  const pieces = Math.max(1, Math.min(KNOTS, rows - 1))
  const map: QuantileMap = {
    pieces,
    start: new Float32Array(classCount * pieces),
    slope: new Float32Array(classCount * pieces).fill(1),
    rise: new Float32Array(classCount * pieces),
  }
  const column = new Float32Array(rows)
  for (let k = 0; k < classCount; k++) {
    for (let i = 0; i < rows; i++) column[i] = scores[i * classCount + k]
    column.sort()
    fitColumn(column, map, k * pieces)
  }
  return map
}

/** Knots at even ranks; equal knots merge, so that ties get one value. `sorted`: ascending. */
function fitColumn(sorted: Float32Array, map: QuantileMap, at: number): void {
  const last = sorted.length - 1
  let from = sorted[0]
  let fromRank = 0
  let piece = 0
  for (let j = 1; j <= map.pieces; j++) {
    const rank = Math.round((j * last) / map.pieces)
    const to = sorted[rank]
    const length = to - from
    if (!(length > 0) || !Number.isFinite(1 / length)) continue
    map.start[at + piece] = from
    map.slope[at + piece] = 1 / length
    map.rise[at + piece] = last === 0 ? 0 : (rank - fromRank) / last
    piece++
    from = to
    fromRank = rank
  }
}

/** [n, K] -> [n, K] in [0, 1] */
export function applyQuantileMap(map: QuantileMap, scores: Float32Array, classCount: number): Float32Array {
  const out = new Float32Array(scores.length)
  for (let at = 0; at < scores.length; at++) {
    const first = (at % classCount) * map.pieces
    let y = 0
    for (let j = first; j < first + map.pieces; j++) {
      if (map.rise[j] === 0) continue
      const part = (scores[at] - map.start[j]) * map.slope[j]
      if (part <= 0) break
      y += map.rise[j] * Math.min(part, 1)
    }
    out[at] = y
  }
  return out
}
