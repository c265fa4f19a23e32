// Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): SGD with Nesterov momentum whose step on a hidden layer's weight matrix
// is replaced by the nearest orthogonal matrix, so that all directions learn alike: m = b m + g;  u = orthogonal(g + b m). Orthogonal by a
// quintic Newton-Schulz iteration, whose work does not grow with the batch. Scaled to a fixed RMS (Liu et al. 2025, arXiv:2502.16982,
// equation 4), so that one learning rate serves all: what is no hidden layer's weight (biases, scales, embeddings, the head) takes
// AdamW's step.
import type { GraphBuilder, Value } from '../builder.ts'
import { sizeOf } from '../dims.ts'
import { add, div, matmul, mul, reduceSumSquare, reshape, sqrt, sub, transpose } from '../functions.ts'
import { type AdamWOptions, adamW } from './adamw.ts'
import type { Optimizer } from './optimizer.ts'

export interface MuonOptions extends AdamWOptions {
  /** @default 0.9 */
  momentum?: number
  /** Newton-Schulz steps; three bring singular values into about [.5, 1.2], which is enough. @default 3 */
  steps?: number
  /**
   * RMS of a step in units of the learning rate. Liu et al. give .2, which is an AdamW step's; small networks that are trained for
   * minutes stand several times that, where their biases and heads do not.
   * @default 1
   */
  stepRms?: number
}

/** Jordan's coefficients: steepest at zero among quintics that stay near one. */
const [A, B, C] = [3.4445, -4.775, 2.0315]
/** Smaller sides gain nothing from being made orthogonal. */
const MIN_SIDE = 8

export function muon(options: MuonOptions = {}): Optimizer {
  const { momentum = 0.9, steps = 3, stepRms = 1 } = options
  const elsewhere = adamW(options)
  return {
    ...elsewhere,
    name: 'muon',
    derived: (step, scalars) => ({ ...elsewhere.derived!(step, scalars), muonRate: scalars.lr * stepRms }),
    update(g, call) {
      const { value, grad, slots, scalars, kind } = call
      const shape = value.shape as number[]
      const [rows, cols] = kind === 'weight' && shape.length >= 2 ? [shape[0], sizeOf(shape.slice(1))] : [1, 1]
      if (Math.min(rows, cols) < MIN_SIDE) return elsewhere.update(g, call)
      const velocity = add(g, mul(g, slots[0], momentum), grad)
      const ahead = reshape(g, add(g, grad, mul(g, velocity, momentum)), [rows, cols])
      const step = reshape(g, orthogonal(g, ahead, rows, cols, steps), shape)
      // An orthogonal matrix has RMS 1/sqrt(longer side).
      const rate = mul(g, scalars.muonRate, Math.sqrt(Math.max(rows, cols)))
      return { value: sub(g, mul(g, value, scalars.shrink), mul(g, step, rate)), slots: [velocity, slots[1]] }
    },
  }
}

/** x [rows, cols] -> about the orthogonal factor of its polar decomposition. */
function orthogonal(g: GraphBuilder, x: Value, rows: number, cols: number, steps: number): Value {
  const wide = rows <= cols
  let y = wide ? x : transpose(g, x, [1, 0])
  y = div(g, y, add(g, sqrt(g, reduceSumSquare(g, y)), 1e-7))
  for (let i = 0; i < steps; i++) {
    const gram = matmul(g, y, transpose(g, y, [1, 0]))
    const mixed = add(g, mul(g, gram, B), mul(g, matmul(g, gram, gram), C))
    y = add(g, mul(g, y, A), matmul(g, mixed, y))
  }
  return wide ? y : transpose(g, y, [1, 0])
}
