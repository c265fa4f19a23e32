// Products of feature matrices on the engine, in blocks of rows so that a slice can end in between.
import type { Engine, Executable } from '../../engine/engine.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import { gemm } from '../../graph/functions.ts'

const ROWS = 512

export interface Products {
  /** a b' : a [p, k], b [q, k] -> [p, q] */
  timesTransposed(a: Float32Array, b: Float32Array, k: number): AsyncGenerator<void, Float32Array, void>
  /** a' b : a [n, p], b [n, q] -> [p, q] */
  transposedTimes(a: Float32Array, b: Float32Array, p: number, q: number): AsyncGenerator<void, Float32Array, void>
  release(): Promise<void>
}

export async function featureProducts(engine: Engine): Promise<Products> {
  const right = await compile(engine, false)
  const left = await compile(engine, true)
  return {
    async *timesTransposed(a, b, k) {
      const p = a.length / k
      const q = b.length / k
      const out = new Float32Array(p * q)
      for (let from = 0; from < p; from += ROWS) {
        const count = Math.min(ROWS, p - from)
        const { c } = await right.run({
          a: { type: 'float32', shape: [count, k], data: a.subarray(from * k, (from + count) * k) },
          b: { type: 'float32', shape: [q, k], data: b },
        })
        out.set(c.data as Float32Array, from * q)
        yield
      }
      return out
    },
    async *transposedTimes(a, b, p, q) {
      const n = a.length / p
      const out = new Float32Array(p * q)
      for (let from = 0; from < n; from += ROWS) {
        const count = Math.min(ROWS, n - from)
        const { c } = await left.run({
          a: { type: 'float32', shape: [count, p], data: a.subarray(from * p, (from + count) * p) },
          b: { type: 'float32', shape: [count, q], data: b.subarray(from * q, (from + count) * q) },
        })
        const part = c.data as Float32Array
        for (let i = 0; i < out.length; i++) out[i] += part[i]
        yield
      }
      return out
    },
    async release() {
      await right.release()
      await left.release()
    },
  }
}

function compile(engine: Engine, transA: boolean): Promise<Executable> {
  const g = new GraphBuilder()
  const a = g.input('a', 'float32', transA ? ['n', 'p'] : ['p', 'k'])
  const b = g.input('b', 'float32', transA ? ['n', 'q'] : ['q', 'k'])
  g.output('c', gemm(g, a, b, null, { transA, transB: !transA }))
  return engine.compile(g.build())
}
