// AdamW (Loshchilov & Hutter 2019, algorithm 2): Adam (Kingma & Ba 2015) with decoupled weight decay, scaled by the learning rate:
// m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w = w - lr (m / c1 / (sqrt(v / c2) + eps) + weightDecay w),  ci = 1 - bi^t.
import { add, div, mul, sqrt, sub } from '../functions.ts'
import type { Optimizer } from './optimizer.ts'

export interface AdamWOptions {
  /** @default 0.9 */
  beta1?: number
  /** @default 0.999 */
  beta2?: number
  /** @default 1e-8 */
  epsilon?: number
}

export function adamW(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  return {
    name: 'adamw',
    slots: ['mean', 'square'],
    scalars: { lr: 1e-3, weightDecay: 0 },
    // Both corrections move into the step size and epsilon: m/c1/(sqrt(v/c2)+e) = (sqrt(c2)/c1) m / (sqrt(v) + e sqrt(c2)).
    derived(step, { lr, weightDecay }) {
      const root = Math.sqrt(1 - beta2 ** step)
      return { rate: (lr * root) / (1 - beta1 ** step), guard: epsilon * root, shrink: 1 - lr * weightDecay }
    },
    update(g, { value, grad, slots: [mean, square], scalars: { rate, guard, shrink }, decay }) {
      const nextMean = add(g, mean, mul(g, sub(g, grad, mean), 1 - beta1))
      const nextSquare = add(g, square, mul(g, sub(g, mul(g, grad, grad), square), 1 - beta2))
      const step = div(g, mul(g, nextMean, rate), add(g, sqrt(g, nextSquare), guard))
      const kept = decay ? mul(g, value, shrink) : value
      return { value: sub(g, kept, step), slots: [nextMean, nextSquare] }
    },
  }
}
