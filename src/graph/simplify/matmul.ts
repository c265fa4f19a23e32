// Transposes of the last two axes, read by a product that can transpose on its own.
import type { Value } from '../builder.ts'
import type { Rewrite, Rule, RuleTable } from './rewrite.ts'

/** What `value` is the transpose of: over its last two axes alone. */
function untransposed({ g }: Rewrite, value: Value): Value | undefined {
  const producer = g.producer(value)
  if (producer?.node.op !== 'Transpose') return undefined
  const rank = value.shape.length
  const perm = producer.node.attrs.perm as number[] | undefined
  const swaps = perm ? perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i)) : rank === 2
  return swaps ? producer.inputs[0]! : undefined
}

const foldTransposes: Rule = (call) => {
  const [a, b, c] = call.inputs as Value[]
  if (a.shape.length < 2 || b.shape.length < 2 || call.attrs.transBatchA || call.attrs.transBatchB) return null
  const [left, right] = [untransposed(call, a), untransposed(call, b)]
  if (!left && !right) return null
  const flag = (name: string, turned: boolean) => Number((call.attrs[name] === 1) !== turned)
  const attrs = { transA: flag('transA', left !== undefined), transB: flag('transB', right !== undefined) }
  const factors = [left ?? a, right ?? b]
  if (call.op === 'Gemm') return call.emit('Gemm', c ? [...factors, c] : factors, { ...call.attrs, ...attrs })
  const flat = a.shape.length === 2 && b.shape.length === 2
  const alpha = call.attrs.alpha ?? 1
  return flat
    ? call.emit('Gemm', factors, { ...attrs, alpha, beta: 1 })
    : call.emit('FusedMatMul', factors, { ...attrs, alpha })
}

export const matmulRules: RuleTable = {
  MatMul: [foldTransposes],
  Gemm: [foldTransposes],
  FusedMatMul: [foldTransposes],
}
