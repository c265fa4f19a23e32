// Limited-memory BFGS (Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5) with Armijo backtracking, for smooth
// convex losses whose value and gradient come from somewhere slow (a compiled graph), hence asynchronous. Left out: a Wolfe line
// search. A pair with too little curvature is skipped instead, which convex losses hardly ever need.

export interface Evaluation {
  loss: number
  gradient: Float32Array
}

export interface LbfgsOptions {
  /** @default 10 correction pairs: more gains little on logistic losses */
  memory?: number
  /** @default 100 */
  maxIterations?: number
  /** Stop when two iterations in a row lower the loss by less than this share of it. @default 1e-5 */
  tolerance?: number
  /** Approximate inverse Hessian applied to a gradient. @default a multiple of the identity (equation 7.20) */
  precondition?: (gradient: Float64Array) => Float64Array
}

export interface LbfgsResult {
  weights: Float32Array
  loss: number
  iterations: number
  converged: boolean
}

const ARMIJO = 1e-4
const MAX_HALVINGS = 20
/** The very first step has no curvature to go by: it is stretched by this factor while that lowers the loss. */
const STRETCH = 4
const MAX_STRETCHES = 8
/** Iterations in a row that gain too little before the end. */
const PATIENCE = 2

/** Minimises from `start` (not changed). Yields the iteration number after every accepted step. */
export async function* lbfgs(
  evaluate: (weights: Float32Array) => Promise<Evaluation>,
  start: Float32Array,
  options: LbfgsOptions = {},
): AsyncGenerator<number, LbfgsResult, void> {
  const { memory = 10, maxIterations = 100, tolerance = 1e-5, precondition } = options
  let weights: Float32Array = start.slice()
  let { loss, gradient } = await evaluate(weights)
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = []

  let idle = 0
  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    const direction = descent(gradient, pairs, precondition)
    let slope = dot(direction, gradient)
    if (slope >= 0) {
      pairs.length = 0
      for (let i = 0; i < direction.length; i++) direction[i] = -gradient[i]
      slope = dot(direction, gradient)
    }
    if (slope === 0) return { weights, loss, iterations: iteration - 1, converged: true }

    const blind = pairs.length === 0 && !precondition
    let step = blind ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1
    let next: Float32Array | null = null
    let evaluation: Evaluation = { loss, gradient }
    for (let halving = 0; halving < MAX_HALVINGS; halving++, step /= 2) {
      const trial = moved(weights, direction, step)
      evaluation = await evaluate(trial)
      if (evaluation.loss <= loss + ARMIJO * step * slope) {
        next = trial
        break
      }
    }
    for (let stretch = 0; blind && next !== null && stretch < MAX_STRETCHES; stretch++) {
      const trial = moved(weights, direction, (step *= STRETCH))
      const further = await evaluate(trial)
      if (!(further.loss < evaluation.loss)) break
      next = trial
      evaluation = further
    }
    if (next === null) return { weights, loss, iterations: iteration - 1, converged: true } // at float32's resolution

    const s = difference(next, weights)
    const y = difference(evaluation.gradient, gradient)
    const curvature = dot(s, y)
    if (curvature > 1e-10 * dot(y, y)) {
      pairs.push({ s, y, rho: 1 / curvature })
      if (pairs.length > memory) pairs.shift()
    }
    const gain = loss - evaluation.loss
    weights = next
    loss = evaluation.loss
    gradient = evaluation.gradient
    yield iteration
    idle = gain <= tolerance * Math.abs(loss) ? idle + 1 : 0
    if (idle >= PATIENCE) return { weights, loss, iterations: iteration, converged: true }
  }
  return { weights, loss, iterations: maxIterations, converged: false }
}

/** The two-loop recursion: -H g. */
function descent(
  gradient: Float32Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  precondition: LbfgsOptions['precondition'],
): Float64Array {
  let q: Float64Array = Float64Array.from(gradient)
  const alphas = new Float64Array(pairs.length)
  for (let j = pairs.length - 1; j >= 0; j--) {
    const { s, y, rho } = pairs[j]
    alphas[j] = rho * dot(s, q)
    addScaled(q, y, -alphas[j])
  }
  if (precondition) q = precondition(q)
  else if (pairs.length > 0) {
    const { y, rho } = pairs[pairs.length - 1]
    const scale = 1 / (rho * dot(y, y))
    for (let i = 0; i < q.length; i++) q[i] *= scale
  }
  for (let j = 0; j < pairs.length; j++) {
    const { s, y, rho } = pairs[j]
    addScaled(q, s, alphas[j] - rho * dot(y, q))
  }
  for (let i = 0; i < q.length; i++) q[i] = -q[i]
  return q
}

function moved(weights: Float32Array, direction: Float64Array, step: number): Float32Array {
  const out = new Float32Array(weights.length)
  for (let i = 0; i < out.length; i++) out[i] = weights[i] + step * direction[i]
  return out
}

type Vector = Float32Array | Float64Array

function dot(a: Vector, b: Vector): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
}

function difference(a: Float32Array, b: Float32Array): Float64Array {
  const out = new Float64Array(a.length)
  for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i]
  return out
}
