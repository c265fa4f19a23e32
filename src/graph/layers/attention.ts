// Multi-head self-attention (Vaswani et al. 2017, section 3.2), x [n, t, width].
import type { Value } from '../builder.ts'
import { matmul, reshape, softmax, transpose, where } from '../functions.ts'
import { linear } from './linear.ts'
import { heNormal, type Network } from './network.ts'

/** `mask`: bool [n, t], true where a step is valid; others are not attended to. Returns [n, t, width]. */
export function multiHeadAttention(net: Network, x: Value, heads: number, mask: Value | null = null): Value {
  const { g } = net
  const [n, t, width] = x.shape
  const size = (width as number) / heads
  const init = heNormal(width as number, 1)
  const project = () => {
    const y = reshape(g, linear(net, x, width as number, { init }), [n, t, heads, size])
    return transpose(g, y, [0, 2, 1, 3])
  }
  const [q, k, v] = [project(), project(), project()]
  let scores = g.op('FusedMatMul', [q, k], { transB: 1, alpha: 1 / Math.sqrt(size) })
  if (mask) scores = where(g, reshape(g, mask, [n, 1, 1, t]), scores, -1e9)
  const mixed = transpose(g, matmul(g, softmax(g, scores), v), [0, 2, 1, 3])
  return linear(net, reshape(g, mixed, [n, t, width]), width as number, { init })
}
