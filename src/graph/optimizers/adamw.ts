// AdamW (Loshchilov & Hutter 2019, algorithm 2): Adam (Kingma & Ba 2015) with decoupled weight decay, scaled by the learning rate:
// m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w = w - lr (m / c1 / (sqrt(v / c2) + eps) + weightDecay w),  ci = 1 - bi^t.
// Each pass over a large parameter costs as much as reading and writing it, so constant factors are moved into scalars: the slots hold
// M = m / (1-b1) and V = v / (1-b2), and m / c1 / (sqrt(v / c2) + eps) = (1-b1) / (c1 s) M / (sqrt(V) + eps / s), s = sqrt((1-b2) / c2).
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
    derived(step, { lr, weightDecay }) {
      const scale = Math.sqrt((1 - beta2) / (1 - beta2 ** step))
      return {
        rate: (lr * (1 - beta1)) / (1 - beta1 ** step) / scale,
        guard: epsilon / scale,
        shrink: 1 - lr * weightDecay,
      }
    },
    update(g, { value, grad, slots: [mean, square], scalars: { rate, guard, shrink }, decay }) {
      const nextMean = add(g, mul(g, mean, beta1), grad)
      const nextSquare = add(g, mul(g, square, beta2), mul(g, grad, grad))
      const step = mul(g, div(g, nextMean, add(g, sqrt(g, nextSquare), guard)), rate)
      const kept = decay ? mul(g, value, shrink) : value
      return { value: sub(g, kept, step), slots: [nextMean, nextSquare] }
    },
  }
}
