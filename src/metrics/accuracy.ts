// Plain accuracy (does the best score meet the best label?) and the challenge kit's soft accuracy (format, section 5).

/** Share of rows whose largest score is in the column of the largest label; the first of equal ones counts. [n, K] row-major. */
export function accuracy(labels: Float32Array, scores: Float32Array, classCount: number): number {
  const n = labels.length / classCount
  let hits = 0
  for (let i = 0; i < n; i++) if (argmax(labels, i, classCount) === argmax(scores, i, classCount)) hits++
  return n === 0 ? 0 : hits / n
}

/** Mean over rows of sum_k S_k P_k / (sum_k |P_k| + 1e-15). [n, K] row-major. */
export function softAccuracy(labels: Float32Array, scores: Float32Array, classCount: number): number {
  const n = labels.length / classCount
  let sum = 0
  for (let i = 0; i < n; i++) {
    let shared = 0
    let mass = 0
    for (let at = i * classCount; at < (i + 1) * classCount; at++) {
      shared += labels[at] * scores[at]
      mass += Math.abs(scores[at])
    }
    sum += shared / (mass + 1e-15)
  }
  return n === 0 ? 0 : sum / n
}

function argmax(values: Float32Array, row: number, classCount: number): number {
  const start = row * classCount
  let best = start
  for (let at = start + 1; at < start + classCount; at++) if (values[at] > values[best]) best = at
  return best - start
}
