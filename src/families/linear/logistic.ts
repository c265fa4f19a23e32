// Multinomial (or one-vs-rest) logistic regression with an L2 penalty, fitted by L-BFGS on the whole set at once. Loss and gradient
// are one compiled graph: two matrix products an evaluation. Intercepts are not penalised.
import type { Engine, Executable } from '../../engine/engine.ts'
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import { add, exp, gemm, logSoftmax, mul, neg, reduceSum, sigmoid, softplus, sub } from '../../graph/functions.ts'
import type { Graph } from '../../graph/graph.ts'
import { priorIntercepts, type Targets } from '../common/label-statistics.ts'
import { type Evaluation, lbfgs } from '../common/lbfgs.ts'

/** logits = x weights + intercepts. */
export interface LinearMap {
  /** [d, K] */
  weights: Float32Array
  /** [K] */
  intercepts: Float32Array
}

export interface LogisticProblem {
  /** [m, d] row-major features of about unit scale. */
  x: Float32Array
  width: number
  targets: Targets
}

export interface LogisticSolver {
  /**
   * Minimises mean log loss + penalty/2 |weights|^2 from `start`. Yields the iteration number.
   * @param start @default zero weights, intercepts of the class frequencies
   */
  fit(
    penalty: number,
    start?: LinearMap,
    options?: { maxIterations?: number; tolerance?: number },
  ): AsyncGenerator<number, LinearMap, void>
  release(): Promise<void>
}

/** Compiles once for a problem; fits along a path of penalties share it. */
export async function logisticSolver(engine: Engine, problem: LogisticProblem): Promise<LogisticSolver> {
  const { x, width: d, targets } = problem
  const k = targets.classCount
  const executable = await engine.compile(lossGraph(d, k, targets.link))
  const feeds = {
    x: { type: 'float32', shape: [x.length / d, d], data: x },
    y: { type: 'float32', shape: [x.length / d, k], data: targets.values },
    weight: { type: 'float32', shape: [x.length / d, 1], data: targets.weights },
  } as const
  const scale = 1 / Math.max(1, targets.weightSum)
  return {
    async *fit(penalty, start, options = {}) {
      const from = new Float32Array(d * k + k)
      from.set(start?.weights ?? [], 0)
      from.set(start?.intercepts ?? priorIntercepts(targets), d * k)
      const evaluate = (theta: Float32Array) => evaluateAt(executable, feeds, theta, d, k, penalty, scale)
      const { weights } = yield* lbfgs(evaluate, from, options)
      return { weights: weights.slice(0, d * k), intercepts: weights.slice(d * k) }
    },
    release: () => executable.release(),
  }
}

async function evaluateAt(
  executable: Executable,
  feeds: Parameters<Executable['run']>[0],
  theta: Float32Array,
  d: number,
  k: number,
  penalty: number,
  scale: number,
): Promise<Evaluation> {
  const out = await executable.run({
    ...feeds,
    w: { type: 'float32', shape: [d, k], data: theta.subarray(0, d * k) },
    b: { type: 'float32', shape: [k], data: theta.subarray(d * k) },
  })
  const gradient = new Float32Array(theta.length)
  const dw = out.dw.data as Float32Array
  const db = out.db.data as Float32Array
  let squares = 0
  for (let i = 0; i < d * k; i++) {
    squares += theta[i] * theta[i]
    gradient[i] = dw[i] * scale + penalty * theta[i]
  }
  for (let c = 0; c < k; c++) gradient[d * k + c] = db[c] * scale
  return { loss: (out.loss.data[0] as number) * scale + 0.5 * penalty * squares, gradient }
}

/** Inputs x [m, d], y [m, K], weight [m, 1], w [d, K], b [K]; outputs loss (a sum), dw [d, K], db [K] without the penalty. */
export function lossGraph(d: number, k: number, link: Targets['link']): Graph {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['m', d])
  const y = g.input('y', 'float32', ['m', k])
  const weight = g.input('weight', 'float32', ['m', 1])
  const w = g.input('w', 'float32', [d, k])
  const b = g.input('b', 'float32', [k])
  const logits = gemm(g, x, w, b)
  const { losses, slopes } = link === 'softmax' ? crossEntropy(g, logits, y) : binaryCrossEntropy(g, logits, y)
  const loss = reduceSum(g, mul(g, weight, losses))
  const residual = mul(g, weight, slopes)
  g.output('loss', loss)
  g.output('dw', gemm(g, x, residual, null, { transA: true }))
  g.output('db', reduceSum(g, residual, [0]))
  return g.build()
}

interface RowLosses {
  /** [m, 1] or [m, K] */
  losses: Value
  /** [m, K] derivatives by the logits. */
  slopes: Value
}

/** Rows of y sum to 1, or weigh nothing. */
function crossEntropy(g: GraphBuilder, logits: Value, y: Value): RowLosses {
  const logP = logSoftmax(g, logits)
  return { losses: neg(g, reduceSum(g, mul(g, y, logP), [1], true)), slopes: sub(g, exp(g, logP), y) }
}

function binaryCrossEntropy(g: GraphBuilder, logits: Value, y: Value): RowLosses {
  return { losses: sub(g, softplus(g, logits), mul(g, y, logits)), slopes: sub(g, sigmoid(g, logits), y) }
}

/** The scores of a linear map: link(scale * (x W + b)). x: [n, d] -> [n, K] */
export function linearScores(g: GraphBuilder, x: Value, map: LinearMap, link: Targets['link'], scale = 1): Value {
  const k = map.intercepts.length
  const w = g.constant(
    map.weights.map((v) => v * scale),
    [map.weights.length / k, k],
  )
  const logits = add(
    g,
    g.op('MatMul', [x, w]),
    g.constant(
      map.intercepts.map((v) => v * scale),
      [k],
    ),
  )
  return link === 'softmax' ? g.op('Softmax', [logits], { axis: -1 }) : sigmoid(g, logits)
}
