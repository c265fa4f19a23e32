// Ridge regression of class indicators in the feature space of a Gaussian kernel, restricted to the span of m landmark examples
// (Williams & Seeger 2001; with m = n it is the exact kernel machine). With K_LL + eps I = R R', an example's features are
// phi(x) = R^-1 k(L, x), so that ridge in phi is ridge in the kernel's own norm. Examples stream through in chunks: only
// phi' phi and phi' y are kept. The penalty is chosen on examples whose sums are added afterwards, so nothing is fitted twice.
import type { Engine, Executable, Tensor } from '../../engine/engine.ts'
import { GraphBuilder, type Value } from '../../graph/builder.ts'
import { add, exp, gemm, matmul, mul, reduceSumSquare, relu, sub, transpose } from '../../graph/functions.ts'
import {
  type BlockProducts,
  blockProducts,
  choleskyBlocked,
  solveLower,
  solveUpper,
} from '../common/blocked-cholesky.ts'
import { fitScale, logLoss } from '../common/calibration.ts'
import { classPriors, type Targets } from '../common/label-statistics.ts'

/** Added to the landmarks' kernel matrix: float32 cannot resolve directions weaker than this. */
const JITTER = 1e-4
/** On sums over examples, for a kernel with k(x, x) = 1. */
const PENALTIES = [0.02, 0.1, 0.5, 2.5, 12] as const
const CHUNK = 512

export interface KernelProblem {
  /** [n, d] standardised rows, about unit length. */
  x: Float32Array
  width: number
  targets: Targets
  /** Indices of rows that choose the penalty before they teach; empty when `choice` is given. */
  judges: Int32Array
  /** Indices of the landmarks among the rows. */
  landmarks: Int32Array
  /** k(a, b) = exp(-gamma |a - b|^2) */
  gamma: number
  choice: KernelChoice | null
}

export interface KernelChoice {
  penalty: number
  /** Factor that turns regression values into logits. */
  scale: number
}

/** scores = link(scale * (k(x, L) coefficients + offsets)) */
export interface KernelMap {
  /** [m, d] */
  landmarks: Float32Array
  /** [m, K] */
  coefficients: Float32Array
  /** [K] */
  offsets: Float32Array
  gamma: number
}

/** Yields rows done of rows to do. */
export async function* fitKernelRidge(
  engine: Engine,
  problem: KernelProblem,
): AsyncGenerator<number, { map: KernelMap; choice: KernelChoice }, void> {
  const { x, width: d, targets, gamma } = problem
  const k = targets.classCount
  const n = targets.weights.length
  const m = problem.landmarks.length
  const landmarks = gatherRows(x, d, problem.landmarks)
  const centre = Float32Array.from(classPriors(targets))
  const roots = targets.weights.map(Math.sqrt)
  const y = new Float32Array(n * k)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < k; c++) y[i * k + c] = roots[i] * (targets.values[i * k + c] - centre[c])
  }

  const products = await blockProducts(engine)
  const kernel = await engine.compile(kernelGraph(d, gamma))
  const sums = await engine.compile(sumsGraph(d, k, gamma))
  try {
    const whiten = yield* whitener(kernel, products, landmarks, m, d)
    let gram: Float32Array = new Float32Array(m * m)
    let moment: Float32Array = new Float32Array(m * k)
    let done = 0
    const phis: Float32Array[] = []
    const absorb = async (rows: Int32Array, keep: boolean) => {
      const out = await sums.run({
        x: matrix(gatherRows(x, d, rows), rows.length),
        y: matrix(gatherRows(y, k, rows), rows.length),
        root: matrix(gatherRows(roots, 1, rows), rows.length),
        landmarks: matrix(landmarks, m),
        whiten: matrix(whiten, m),
        gram: matrix(gram, m),
        moment: matrix(moment, m),
      })
      gram = out.nextGram.data as Float32Array
      moment = out.nextMoment.data as Float32Array
      if (keep) phis.push(out.phi.data as Float32Array)
      done += rows.length
    }
    const judging = new Set(problem.judges)
    const teachers = Int32Array.from({ length: n }, (_, i) => i).filter((i) => !judging.has(i))
    for (const rows of chunks(teachers)) {
      await absorb(rows, false)
      yield done
    }
    let choice = problem.choice
    if (choice === null) {
      const taught = { gram, moment }
      for (const rows of chunks(problem.judges)) {
        await absorb(rows, true)
        yield done
      }
      choice = yield* choosePenalty(products, taught, phis, { m, k, targets, judges: problem.judges, centre })
    }
    const beta = yield* ridge(products, gram, moment, m, k, choice.penalty)
    const coefficients = multiply(whiten, beta, m, m, k)
    return { map: { landmarks, coefficients, offsets: centre, gamma }, choice }
  } finally {
    for (const executable of [kernel, sums, products]) await executable.release()
  }
}

/** The scores of a kernel map. x: [n, d] standardised -> [n, K] */
export function kernelScores(g: GraphBuilder, x: Value, map: KernelMap, link: Targets['link'], scale: number): Value {
  const k = map.offsets.length
  const m = map.coefficients.length / k
  const landmarks = g.constant(map.landmarks, [m, map.landmarks.length / m])
  const scaled = g.constant(
    map.coefficients.map((v) => v * scale),
    [m, k],
  )
  const offsets = g.constant(
    map.offsets.map((v) => v * scale),
    [k],
  )
  const values = add(g, matmul(g, gaussian(g, x, landmarks, map.gamma), scaled), offsets)
  return link === 'softmax' ? g.op('Softmax', [values], { axis: -1 }) : g.op('Sigmoid', [centred(g, values, scale)])
}

/** Indicators are 0 or 1: one half is the even point. */
function centred(g: GraphBuilder, values: Value, scale: number): Value {
  return sub(g, values, scale / 2)
}

interface Judging {
  m: number
  k: number
  targets: Targets
  judges: Int32Array
  centre: Float32Array
}

async function* choosePenalty(
  products: BlockProducts,
  { gram, moment }: { gram: Float32Array; moment: Float32Array },
  phis: readonly Float32Array[],
  { m, k, targets, judges, centre }: Judging,
): AsyncGenerator<number, KernelChoice, void> {
  const held = heldTargets(targets, judges)
  let best = { penalty: PENALTIES[2] as number, scale: 10, loss: Number.POSITIVE_INFINITY }
  for (const penalty of PENALTIES) {
    const beta = yield* ridge(products, gram, moment, m, k, penalty)
    const values = new Float32Array(judges.length * k)
    let at = 0
    for (const phi of phis) {
      values.set(multiply(phi, beta, phi.length / m, m, k), at)
      at += (phi.length / m) * k
    }
    const shift = targets.link === 'sigmoid' ? 0.5 : 0
    for (let i = 0; i < values.length; i++) values[i] += centre[i % k] - shift
    const scale = fitScale(values, held)
    const loss = logLoss(values, held, scale)
    if (loss < best.loss) best = { penalty, scale, loss }
  }
  return { penalty: best.penalty, scale: best.scale }
}

/** (gram + penalty I)^-1 moment */
async function* ridge(
  products: BlockProducts,
  gram: Float32Array,
  moment: Float32Array,
  m: number,
  k: number,
  penalty: number,
): AsyncGenerator<number, Float32Array, void> {
  const factor = yield* silently(choleskyBlocked(products, gram, m, penalty))
  const half = yield* silently(solveLower(products, factor, moment, k))
  return yield* silently(solveUpper(products, factor, half, k))
}

/** R'^-1 [m, m], so that phi = k(x, L) R'^-1. */
async function* whitener(
  kernel: Executable,
  products: BlockProducts,
  landmarks: Float32Array,
  m: number,
  d: number,
): AsyncGenerator<number, Float32Array, void> {
  const all = matrix(landmarks, landmarks.length / d)
  const { values } = await kernel.run({ a: all, b: all })
  const factor = yield* silently(choleskyBlocked(products, values.data as Float32Array, m, JITTER))
  const identity = new Float32Array(m * m)
  for (let i = 0; i < m; i++) identity[i * m + i] = 1
  return yield* silently(solveUpper(products, factor, identity, m))
}

/** Safe points without a count of their own. */
async function* silently<T>(steps: AsyncGenerator<void, T, void>): AsyncGenerator<number, T, void> {
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
    yield 0
  }
}

function kernelGraph(d: number, gamma: number) {
  const g = new GraphBuilder()
  g.output('values', gaussian(g, g.input('a', 'float32', ['p', d]), g.input('b', 'float32', ['q', d]), gamma))
  return g.build()
}

/** One chunk: phi, and the sums with it added. Rows of weight w count as rows of length sqrt(w), y included. */
function sumsGraph(d: number, k: number, gamma: number) {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', ['p', d])
  const y = g.input('y', 'float32', ['p', k])
  const landmarks = g.input('landmarks', 'float32', ['m', d])
  const whiten = g.input('whiten', 'float32', ['m', 'm'])
  const phi = matmul(g, gaussian(g, x, landmarks, gamma), whiten)
  g.output('phi', phi)
  const weighted = mul(g, phi, g.input('root', 'float32', ['p', 1]))
  g.output('nextGram', gemm(g, weighted, weighted, g.input('gram', 'float32', ['m', 'm']), { transA: true }))
  g.output('nextMoment', gemm(g, weighted, y, g.input('moment', 'float32', ['m', k]), { transA: true }))
  return g.build()
}

/** exp(-gamma |a - b|^2): [p, d], [q, d] -> [p, q] */
function gaussian(g: GraphBuilder, a: Value, b: Value, gamma: number): Value {
  const squares = add(g, reduceSumSquare(g, a, [1], true), transpose(g, reduceSumSquare(g, b, [1], true), [1, 0]))
  const distances = relu(g, add(g, gemm(g, a, b, null, { transB: true, alpha: -2 }), squares))
  return exp(g, mul(g, distances, -gamma))
}

function heldTargets(targets: Targets, rows: Int32Array): Targets {
  const weights = Float32Array.from(rows, (row) => targets.weights[row])
  return {
    ...targets,
    values: gatherRows(targets.values, targets.classCount, rows),
    weights,
    weightSum: weights.reduce((sum, w) => sum + w, 0),
  }
}

function gatherRows(values: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  return out
}

/** a b for a narrow b, on this thread. a: [r, m], b: [m, k] */
function multiply(a: Float32Array, b: Float32Array, r: number, m: number, k: number): Float32Array {
  const out = new Float32Array(r * k)
  for (let i = 0; i < r; i++) {
    for (let j = 0; j < m; j++) {
      const factor = a[i * m + j]
      if (factor === 0) continue
      for (let c = 0; c < k; c++) out[i * k + c] += factor * b[j * k + c]
    }
  }
  return out
}

function matrix(data: Float32Array, rows: number): Tensor {
  return { type: 'float32', shape: [rows, data.length / rows], data }
}

function* chunks(rows: Int32Array): Generator<Int32Array> {
  for (let from = 0; from < rows.length; from += CHUNK) yield rows.subarray(from, from + CHUNK)
}
