// Turns raw scores into probabilities: one temperature (Guo et al. 2017, section 4.2) shared by all classes, fitted on scores of
// examples that the model has not learned from. Class order within an example never changes; what changes is how far apart
// examples stand, which both the per-class ranking and blending depend on.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { clip, log, mul, softmax } from '../../graph/functions.ts'
import { LEAST } from '../../metrics/sharpness.ts'
import type { Targets } from './label-statistics.ts'

/** [n, K] -> [n, K]: p^power / sum p^power, as metrics/sharpness.ts says it. */
export function sharper(g: GraphBuilder, probabilities: Value, power: number): Value {
  if (power === 1) return probabilities
  return softmax(g, mul(g, log(g, clip(g, probabilities, LEAST, null)), power), 1)
}

/** Mean log loss of link(scale * scores) against targets. @param scores [m, K] */
export function logLoss(scores: Float32Array, targets: Targets, scale = 1): number {
  const { classCount: k, values, weights, link } = targets
  let total = 0
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue
    const from = i * k
    if (link === 'softmax') {
      let top = Number.NEGATIVE_INFINITY
      for (let c = 0; c < k; c++) top = Math.max(top, scale * scores[from + c])
      let sum = 0
      for (let c = 0; c < k; c++) sum += Math.exp(scale * scores[from + c] - top)
      const logSum = top + Math.log(sum)
      for (let c = 0; c < k; c++)
        if (values[from + c] > 0) total += values[from + c] * (logSum - scale * scores[from + c])
    } else {
      for (let c = 0; c < k; c++) {
        const z = scale * scores[from + c]
        total += Math.max(z, 0) - values[from + c] * z + Math.log1p(Math.exp(-Math.abs(z)))
      }
    }
  }
  return targets.weightSum > 0 ? total / targets.weightSum : 0
}

/** The scale (one over the temperature) of least log loss in [low, high], by golden-section search over its logarithm. */
export function fitScale(scores: Float32Array, targets: Targets, low = 0.1, high = 100): number {
  const golden = (Math.sqrt(5) - 1) / 2
  const loss = (t: number) => logLoss(scores, targets, Math.exp(t))
  let a = Math.log(low)
  let b = Math.log(high)
  let c = b - golden * (b - a)
  let d = a + golden * (b - a)
  let lossC = loss(c)
  let lossD = loss(d)
  while (b - a > 0.02) {
    if (lossC <= lossD) {
      b = d
      d = c
      lossD = lossC
      c = b - golden * (b - a)
      lossC = loss(c)
    } else {
      a = c
      c = d
      lossC = lossD
      d = a + golden * (b - a)
      lossD = loss(d)
    }
  }
  return Math.exp((a + b) / 2)
}
