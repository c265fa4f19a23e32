// Gradients of matrix products: dA = dY B^T, dB = A^T dY, with transposes folded into the products.
import type { GraphBuilder, Value } from '../builder.ts'
import { gemm, mul, reshape, unsqueeze } from '../functions.ts'
import {
  firstGrad,
  type GradientTable,
  input,
  intAttr,
  type RuleCall,
  reshapeLike,
  unbroadcast,
  unsupported,
} from './rule.ts'

export const matmulGradients: GradientTable = {
  MatMul: (call) => matmulGradient(call, false, false, 1),
  FusedMatMul: (call) => {
    if (intAttr(call, 'transBatchA', 0) || intAttr(call, 'transBatchB', 0)) unsupported(call, 'transBatch')
    const flag = (name: string) => intAttr(call, name, 0) === 1
    return matmulGradient(call, flag('transA'), flag('transB'), intAttr(call, 'alpha', 1))
  },
  Gemm: (call) => {
    const { g } = call
    const [a, b, c] = call.inputs
    const [transA, transB] = [intAttr(call, 'transA', 0) === 1, intAttr(call, 'transB', 0) === 1]
    const alpha = intAttr(call, 'alpha', 1)
    const beta = intAttr(call, 'beta', 1)
    const dy = firstGrad(call)
    const da = () =>
      transA
        ? gemm(g, b!, dy, null, { transA: transB, transB: true, alpha })
        : gemm(g, dy, b!, null, { transB: !transB, alpha })
    const db = () =>
      transB
        ? gemm(g, dy, a!, null, { transA: true, transB: transA, alpha })
        : gemm(g, a!, dy, null, { transA: !transA, alpha })
    const dc = () => unbroadcast(g, beta === 1 ? dy : mul(g, dy, beta), c!)
    return [call.wants(0) ? da() : null, call.wants(1) ? db() : null, c && call.wants(2) ? dc() : null].slice(
      0,
      call.inputs.length,
    )
  },
}

function matmulGradient(call: RuleCall, transA: boolean, transB: boolean, alpha: number): (Value | null)[] {
  const { g } = call
  const [a, b] = [input(call, 0), input(call, 1)]
  let dy = firstGrad(call)
  if (a.shape.length === 1 || b.shape.length === 1) {
    // Vectors: bring both to matrices, and the gradient with them.
    if (transA || transB) unsupported(call, 'transposed vectors')
    const left = a.shape.length === 1 ? unsqueeze(g, a, [0]) : a
    const right = b.shape.length === 1 ? unsqueeze(g, b, [1]) : b
    if (a.shape.length === 1) dy = unsqueeze(g, dy, [b.shape.length === 1 ? 0 : dy.shape.length - 1])
    if (b.shape.length === 1) dy = unsqueeze(g, dy, [dy.shape.length])
    return [
      call.wants(0) ? reshapeLike(g, unbroadcast(g, product(g, dy, right, false, true), left), a) : null,
      call.wants(1) ? reshapeLike(g, unbroadcast(g, product(g, left, dy, true, false), right), b) : null,
    ]
  }
  if (b.shape.length === 2 && a.shape.length > 2 && !transA) return sharedMatrixGradient(call, dy, transB, alpha)
  const da = () => (transA ? product(g, b, dy, transB, true, alpha) : product(g, dy, b, false, !transB, alpha))
  const db = () => (transB ? product(g, dy, a, true, transA, alpha) : product(g, a, dy, !transA, false, alpha))
  return [call.wants(0) ? unbroadcast(g, da(), a) : null, call.wants(1) ? unbroadcast(g, db(), b) : null]
}

/** [..., m, k] x [k, n]: one matrix for the whole batch, so its gradient is one product over all rows. */
function sharedMatrixGradient(call: RuleCall, dy: Value, transB: boolean, alpha: number): (Value | null)[] {
  const { g } = call
  const [a, b] = [input(call, 0), input(call, 1)]
  const rows = (x: Value) => reshape(g, x, [-1, x.shape.at(-1)!])
  const da = () => product(g, dy, b, false, !transB, alpha)
  const db = () => {
    const [left, right] = transB ? [rows(dy), rows(a)] : [rows(a), rows(dy)]
    return gemm(g, left, right, null, { transA: true, alpha })
  }
  return [call.wants(0) ? da() : null, call.wants(1) ? db() : null]
}

function product(g: GraphBuilder, a: Value, b: Value, transA: boolean, transB: boolean, alpha = 1): Value {
  if (a.shape.length === 2 && b.shape.length === 2) return gemm(g, a, b, null, { transA, transB, alpha })
  return g.op('FusedMatMul', [a, b], { transA: +transA, transB: +transB, alpha })
}
