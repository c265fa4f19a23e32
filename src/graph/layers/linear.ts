// Fully connected layers and embeddings.
import type { Value } from '../builder.ts'
import { gather, gemm, reshape } from '../functions.ts'
import { heNormal, type Initializer, type Network, normal, zeros } from './network.ts'

export interface LinearOptions {
  /** @default true */
  bias?: boolean
  /** @default He normal, gain sqrt(2) */
  init?: Initializer
}

/** x [..., in] -> [..., units]. Weights are [units, in]: so their gradient is the product that runs fastest for many inputs. */
export function linear(net: Network, x: Value, units: number, options: LinearOptions = {}): Value {
  const { g } = net
  const name = net.layerName('linear')
  const inputs = x.shape.at(-1) as number
  const weight = net.parameter(`${name}.weight`, [units, inputs], options.init ?? heNormal(inputs))
  const bias = options.bias === false ? null : net.parameter(`${name}.bias`, [units], zeros, 'bias')
  const rows = x.shape.length === 2 ? x : reshape(g, x, [-1, inputs])
  const y = gemm(g, rows, weight, bias, { transB: true })
  return rows === x ? y : reshape(g, y, [...x.shape.slice(0, -1), units])
}

/** ids int32 or int64 [...] -> [..., width] */
export function embedding(
  net: Network,
  ids: Value,
  count: number,
  width: number,
  init: Initializer = normal(0.05),
): Value {
  const table = net.parameter(`${net.layerName('embedding')}.weight`, [count, width], init, 'embedding')
  return gather(net.g, table, ids)
}
