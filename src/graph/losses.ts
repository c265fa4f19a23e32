// Losses over a batch, as scalars. Targets are soft: [n, K] in [0, 1], so that label smoothing and mixup need nothing else.
import type { GraphBuilder, Value } from './builder.ts'
import { add, div, logSoftmax, mul, neg, reduceMean, reduceSum, softplus, sub } from './functions.ts'

export interface LossOptions {
  /** Weight of each class, [K]: what an example counts by its targets before they are smoothed. @default all 1 */
  classWeights?: Value | null
  /** Weight of each example, [n]. @default all 1 */
  exampleWeights?: Value | null
  /** Moves targets towards uniform (softmax) or 1/2 (sigmoid): Szegedy et al. 2016, section 7. @default 0 */
  labelSmoothing?: number
}

/** Mean over examples of -(sum_k w_k t_k) sum_k s_k log softmax(x)_k, s the smoothed targets. logits, targets [n, K]. */
export function softmaxCrossEntropy(g: GraphBuilder, logits: Value, targets: Value, options: LossOptions = {}): Value {
  const classes = logits.shape[1] as number
  const smoothed = smooth(g, targets, options.labelSmoothing ?? 0, 1 / classes)
  const each = neg(g, reduceSum(g, mul(g, smoothed, logSoftmax(g, logits, 1)), [1]))
  const { classWeights } = options
  const weighted = classWeights ? mul(g, each, reduceSum(g, mul(g, targets, classWeights), [1])) : each
  return exampleMean(g, weighted, options.exampleWeights ?? null)
}

/**
 * Mean over examples and classes of (1 + (w_k - 1) t) (log(1 + e^x) - s x), the stable form of the logistic loss, s the smoothed
 * targets: class weights are of the positives.
 */
export function sigmoidCrossEntropy(g: GraphBuilder, logits: Value, targets: Value, options: LossOptions = {}): Value {
  const smoothed = smooth(g, targets, options.labelSmoothing ?? 0, 0.5)
  const each = sub(g, softplus(g, logits), mul(g, smoothed, logits))
  const { classWeights } = options
  const weighted = classWeights ? mul(g, each, add(g, mul(g, targets, sub(g, classWeights, 1)), 1)) : each
  return exampleMean(g, reduceMean(g, weighted, [1]), options.exampleWeights ?? null)
}

/** Mean of (x - t)^2. */
export function squaredError(g: GraphBuilder, x: Value, targets: Value): Value {
  const difference = sub(g, x, targets)
  return reduceMean(g, mul(g, difference, difference))
}

function smooth(g: GraphBuilder, targets: Value, amount: number, level: number): Value {
  return amount === 0 ? targets : add(g, mul(g, targets, 1 - amount), amount * level)
}

function exampleMean(g: GraphBuilder, each: Value, weights: Value | null): Value {
  return weights === null ? reduceMean(g, each) : div(g, reduceSum(g, mul(g, each, weights)), reduceSum(g, weights))
}
