// Matrix products.
import { broadcastShapes, type Dim, unifyDims } from '../dims.ts'
import type { Inferred, OpCall, OpTable } from './spec.ts'

export const matmulOps: OpTable = {
  MatMul: { arity: [2, 2], infer: (c) => inferMatMul(c, false, false) },
  FusedMatMul: {
    domain: 'com.microsoft',
    arity: [2, 2],
    attrs: { alpha: 'float', transA: 'int', transB: 'int', transBatchA: 'int', transBatchB: 'int' },
    infer: (c) => inferMatMul(c, c.int('transA', 0) === 1, c.int('transB', 0) === 1),
  },
  Gemm: {
    arity: [2, 3],
    attrs: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
    infer: (c) => {
      if (c.in(0).shape.length !== 2 || c.in(1).shape.length !== 2) c.fail('both factors must have 2 dimensions')
      const [product] = inferMatMul(c, c.int('transA', 0) === 1, c.int('transB', 0) === 1)
      if (c.optional(2)) {
        const shape = broadcastShapes(product.shape, c.in(2).shape)
        if (shape?.length !== 2 || shape.some((dim, i) => unifyDims(dim, product.shape[i]) === undefined)) {
          c.fail('the addend does not broadcast to the product')
        }
      }
      return [product]
    },
  },
}

/** [..., m, k] x [..., k, n] -> [..., m, n], vectors as numpy has them. */
function inferMatMul(c: OpCall, transA: boolean, transB: boolean): Inferred[] {
  const a = [...c.rankAtLeast(0, 1)]
  const b = [...c.rankAtLeast(1, 1)]
  const type = c.sameType(0, 1)
  const vectorA = a.length === 1
  const vectorB = b.length === 1
  if (vectorA) a.unshift(1)
  if (vectorB) b.push(1)
  let [m, k] = a.slice(-2)
  let [k2, n] = b.slice(-2)
  if (transA && !vectorA) [m, k] = [k, m]
  if (transB && !vectorB) [k2, n] = [n, k2]
  if (unifyDims(k, k2) === undefined) c.fail(`inner sizes are not aligned: ${k} and ${k2}`)
  const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2)) ?? c.fail('batch shapes do not broadcast')
  const shape: Dim[] = [...batch]
  if (!vectorA) shape.push(m)
  if (!vectorB) shape.push(n)
  return [{ type, shape }]
}
