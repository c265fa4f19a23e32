// Mean negative log-likelihood in nats: categorical for single-label tasks, per-cell Bernoulli for multi-label ones.
// Probabilities are clipped away from 0 and 1, so that one confident mistake does not hide everything else.

const CLIP = 1e-7

/**
 * @param labels [n, K] label scores in [0, 1]
 * @param scores [n, K] probabilities; single-label rows need not sum to 1, they are normalised
 */
export function logLoss(labels: Float32Array, scores: Float32Array, classCount: number, multiLabel: boolean): number {
  const n = labels.length / classCount
  if (n === 0) return 0
  return multiLabel ? bernoulli(labels, scores) / labels.length : categorical(labels, scores, classCount) / n
}

function categorical(labels: Float32Array, scores: Float32Array, classCount: number): number {
  let sum = 0
  for (let start = 0; start < labels.length; start += classCount) {
    let mass = 0
    for (let at = start; at < start + classCount; at++) mass += Math.max(scores[at], 0)
    for (let at = start; at < start + classCount; at++) {
      if (labels[at] > 0) sum -= labels[at] * Math.log(Math.max(scores[at] / (mass + 1e-30), CLIP))
    }
  }
  return sum
}

function bernoulli(labels: Float32Array, scores: Float32Array): number {
  let sum = 0
  for (let at = 0; at < labels.length; at++) {
    const p = Math.min(Math.max(scores[at], CLIP), 1 - CLIP)
    sum -= labels[at] * Math.log(p) + (1 - labels[at]) * Math.log(1 - p)
  }
  return sum
}
