// Cholesky factors of matrices of some thousand rows: a left-looking blocked factorisation (Golub & Van Loan, section 4.2.9) whose
// products run on the engine; only the diagonal blocks are factored here, in float64. Column panels are stored one by one, each
// row-major and contiguous, so that every product takes its operands as they lie.
import type { Engine, Executable, Tensor } from '../../engine/engine.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import { gemm } from '../../graph/functions.ts'
import { choleskyInPlace, invertLower } from './cholesky.ts'

/** Small enough that diagonal blocks cost little on one thread, large enough for products to run near full speed. */
const BLOCK = 128

export interface CholeskyFactor {
  size: number
  /** Panel j holds rows from j * BLOCK on of the factor's columns of block j: [size - j * BLOCK, width of block j]. */
  panels: Float32Array[]
  /** Inverses of the diagonal blocks, lower triangular, [width, width] each. */
  inverses: Float32Array[]
}

/** Products of the factorisation, compiled once and shared by all sizes. */
export interface BlockProducts {
  /** c - a b' : a [r, k], b [q, k], c [r, q] */
  subtractTransposed(a: Float32Array, b: Float32Array, c: Float32Array, k: number): Promise<Float32Array>
  /** c - a b : a [r, k], b [k, q], c [r, q] */
  subtract(a: Float32Array, b: Float32Array, c: Float32Array, k: number): Promise<Float32Array>
  /** c - a' b : a [k, r], b [k, q], c [r, q] */
  subtractFromTransposed(a: Float32Array, b: Float32Array, c: Float32Array, k: number): Promise<Float32Array>
  release(): Promise<void>
}

export async function blockProducts(engine: Engine): Promise<BlockProducts> {
  const compiled = await Promise.all([
    productGraph(engine, false, true),
    productGraph(engine, false, false),
    productGraph(engine, true, false),
  ])
  const [transposed, plain, fromTransposed] = compiled
  return {
    subtractTransposed: (a, b, c, k) => product(transposed, [a.length / k, k], [b.length / k, k], k, a, b, c),
    subtract: (a, b, c, k) => product(plain, [a.length / k, k], [k, b.length / k], k, a, b, c),
    subtractFromTransposed: (a, b, c, k) => product(fromTransposed, [k, a.length / k], [k, b.length / k], k, a, b, c),
    async release() {
      for (const executable of compiled) await executable.release()
    },
  }
}

/** Factors a + shift I. `a` [n, n] symmetric, row-major, is not changed. Yields after every panel. */
export async function* choleskyBlocked(
  products: BlockProducts,
  a: Float32Array,
  n: number,
  shift = 0,
): AsyncGenerator<void, CholeskyFactor, void> {
  const factor: CholeskyFactor = { size: n, panels: [], inverses: [] }
  for (let at = 0; at < n; at += BLOCK) {
    const width = Math.min(BLOCK, n - at)
    let panel: Float32Array = new Float32Array((n - at) * width)
    for (let i = at; i < n; i++) panel.set(a.subarray(i * n + at, i * n + at + width), (i - at) * width)
    for (let i = 0; i < width; i++) panel[i * width + i] += shift
    for (const [k, earlier] of factor.panels.entries()) {
      const rows = earlier.subarray((at - k * BLOCK) * BLOCK)
      panel = await products.subtractTransposed(rows, rows.subarray(0, width * BLOCK), panel, BLOCK)
    }
    const diagonal = Float64Array.from(panel.subarray(0, width * width))
    choleskyInPlace(diagonal, width, 1e-7)
    const inverse = Float32Array.from(invertLower(diagonal, width))
    const below = panel.subarray(width * width)
    const solved =
      below.length > 0
        ? negate(await products.subtractTransposed(below, inverse, new Float32Array(below.length), width))
        : below
    const done = new Float32Array(panel.length)
    for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) done[i * width + j] = diagonal[i * width + j]
    done.set(solved, width * width)
    factor.panels.push(done)
    factor.inverses.push(inverse)
    yield
  }
  return factor
}

/** L^-1 b for b [n, m]. Yields after every block. */
export async function* solveLower(
  products: BlockProducts,
  { size, panels, inverses }: CholeskyFactor,
  b: Float32Array,
  m: number,
): AsyncGenerator<void, Float32Array, void> {
  const x = new Float32Array(size * m)
  let rest: Float32Array = b
  for (const [j, panel] of panels.entries()) {
    const width = Math.min(BLOCK, size - j * BLOCK)
    const top = rest.subarray(0, width * m)
    const solved = negate(await products.subtract(inverses[j], top, new Float32Array(width * m), width))
    x.set(solved, j * BLOCK * m)
    const below = panel.subarray(width * width)
    if (below.length > 0) rest = await products.subtract(below, solved, rest.subarray(width * m), width)
    yield
  }
  return x
}

/** L'^-1 b for b [n, m]. Yields after every block. */
export async function* solveUpper(
  products: BlockProducts,
  { size, panels, inverses }: CholeskyFactor,
  b: Float32Array,
  m: number,
): AsyncGenerator<void, Float32Array, void> {
  const x = new Float32Array(size * m)
  for (let j = panels.length - 1; j >= 0; j--) {
    const from = j * BLOCK
    const width = Math.min(BLOCK, size - from)
    const below = panels[j].subarray(width * width)
    let top: Float32Array = b.subarray(from * m, (from + width) * m)
    if (below.length > 0) {
      const known = x.subarray((from + width) * m)
      top = await products.subtractFromTransposed(below, known, top, below.length / width)
    }
    const zeros = new Float32Array(width * m)
    x.set(negate(await products.subtractFromTransposed(inverses[j], top, zeros, width)), from * m)
    yield
  }
  return x
}

function negate(values: Float32Array): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = -values[i]
  return values
}

function productGraph(engine: Engine, transA: boolean, transB: boolean): Promise<Executable> {
  const g = new GraphBuilder()
  const a = g.input('a', 'float32', transA ? ['k', 'r'] : ['r', 'k'])
  const b = g.input('b', 'float32', transB ? ['q', 'k'] : ['k', 'q'])
  const c = g.input('c', 'float32', ['r', 'q'])
  g.output('d', gemm(g, a, b, c, { transA, transB, alpha: -1 }))
  return engine.compile(g.build())
}

async function product(
  executable: Executable,
  aShape: [number, number],
  bShape: [number, number],
  k: number,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
): Promise<Float32Array> {
  const matrix = (data: Float32Array, shape: readonly number[]): Tensor => ({ type: 'float32', shape, data })
  const cShape = [a.length / k, b.length / k]
  const { d } = await executable.run({ a: matrix(a, aShape), b: matrix(b, bShape), c: matrix(c, cShape) })
  return d.data as Float32Array
}
