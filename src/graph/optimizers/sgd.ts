// Stochastic gradient descent with Nesterov momentum, in the form of Sutskever et al. 2013 as deep-learning frameworks write it:
// g = grad + weightDecay w;  v = momentum v + g;  w = w - lr (g + momentum v).
import { add, mul, sub } from '../functions.ts'
import type { Optimizer } from './optimizer.ts'

export interface SgdOptions {
  /** Plain momentum steps by v alone. @default true */
  nesterov?: boolean
}

export function sgd(options: SgdOptions = {}): Optimizer {
  const nesterov = options.nesterov ?? true
  return {
    name: nesterov ? 'sgd-nesterov' : 'sgd-momentum',
    slots: ['velocity'],
    scalars: { lr: 0.01, momentum: 0.9, weightDecay: 0 },
    update(g, { value, grad, slots: [velocity], scalars: { lr, momentum, weightDecay }, decay }) {
      const slope = decay ? add(g, grad, mul(g, value, weightDecay)) : grad
      const next = add(g, mul(g, velocity, momentum), slope)
      const step = nesterov ? add(g, slope, mul(g, next, momentum)) : next
      return { value: sub(g, value, mul(g, step, lr)), slots: [next] }
    },
  }
}
