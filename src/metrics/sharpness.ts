// How sharp the probabilities of a model are, and the power that makes them as sharp as they should be (temperature scaling, Guo et al.
// 2017, section 4.2). A forest that says .4 and is right in nine of ten has to say .9 before it is averaged with others: else it
// only blurs what they say, and a blend is better off without it.

/** Factor between two sharpnesses that are tried, and how many steps away from 1 they may go. */
const FACTOR = 1.35
const STEPS = 5
/** What stands for a probability of zero. */
export const LEAST = 1e-7

export interface Sharpness {
  /** The power: above 1 where the model is less sure than it could be. */
  power: number
  /** Log loss at that power, summed over rows, divided by their number. */
  loss: number
}

/**
 * min over s of the log loss of p^s / sum p^s, s in steps from 1.
 * @param labels [n, K] shares of each class
 * @param scores [n, K] probabilities that sum to 1 in each row
 */
export function bestSharpness(labels: Float32Array, scores: Float32Array, classCount: number): Sharpness {
  const logs = scores.map((p) => Math.log(Math.max(p, LEAST)))
  const lossAt = (power: number) => {
    let sum = 0
    for (let from = 0; from < logs.length; from += classCount) {
      let mass = 0
      let mean = 0
      let labelled = 0
      for (let at = from; at < from + classCount; at++) {
        const z = power * logs[at]
        mass += Math.exp(z)
        mean += labels[at] * z
        labelled += labels[at]
      }
      sum += labelled * Math.log(mass + 1e-30) - mean
    }
    return (sum * classCount) / Math.max(1, logs.length)
  }
  const best: Sharpness = { power: 1, loss: lossAt(1) }
  for (const factor of [FACTOR, 1 / FACTOR]) {
    for (let step = 1; step <= STEPS; step++) {
      const loss = lossAt(factor ** step)
      if (loss >= best.loss) {
        if (step > 1) return best
        break
      }
      best.loss = loss
      best.power = factor ** step
    }
  }
  return best
}

/** [n, K] p^power / sum p^power; `scores` itself where the power is 1. */
export function sharpen(scores: Float32Array, classCount: number, power: number): Float32Array {
  if (power === 1) return scores
  const sharp = new Float32Array(scores.length)
  for (let from = 0; from < scores.length; from += classCount) {
    let most = 0
    for (let at = from; at < from + classCount; at++) most = Math.max(most, scores[at], LEAST)
    let mass = 0
    for (let at = from; at < from + classCount; at++) {
      sharp[at] = (Math.max(scores[at], LEAST) / most) ** power
      mass += sharp[at]
    }
    for (let at = from; at < from + classCount; at++) sharp[at] /= mass
  }
  return sharp
}
