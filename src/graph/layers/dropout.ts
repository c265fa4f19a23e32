// Dropout (Srivastava et al. 2014), reproducible from the step's seed on every device: the mask is a hash in 32-bit integer
// arithmetic, f(x) = x (2x + 1) mod 2^32 (the mixing function of RC6, Rivest et al. 1998), applied twice to row and column numbers.
import type { GraphBuilder, Value } from '../builder.ts'
import { add, cast, less, mul, range, reshape, where } from '../functions.ts'
import type { Network } from './network.ts'

const ROW_STEP = 0x1e3779b1
const COLUMN_STEP = 0x05ebca6b
const SALT_STEP = 0x27d4eb2f

/** Drops each element with probability `rate` and scales the others by 1/(1-rate). x [n, ...]; nothing outside training. */
export function dropout(net: Network, x: Value, rate: number): Value {
  return net.mode === 'infer' || rate <= 0 ? x : dropElements(net, x, x.shape.slice(1) as number[], rate)
}

/** Drops whole channels: x [n, c, ...space]. */
export function channelDropout(net: Network, x: Value, rate: number): Value {
  const perExample = (x.shape.slice(1) as number[]).map((size, i) => (i === 0 ? size : 1))
  return net.mode === 'infer' || rate <= 0 ? x : dropElements(net, x, perExample, rate)
}

/** Drops the whole example's branch: stochastic depth (Huang et al. 2016). */
export function branchDropout(net: Network, x: Value, rate: number): Value {
  const perExample = x.shape.slice(1).map(() => 1)
  return net.mode === 'infer' || rate <= 0 ? x : dropElements(net, x, perExample, rate)
}

function dropElements(net: Network, x: Value, perExample: readonly number[], rate: number): Value {
  const { g } = net
  const size = perExample.reduce((a, b) => a * b, 1)
  const bits = randomBits(g, net.seed(), net.nextSalt(), x, size)
  const limit = Math.round((0.5 - rate) * 2 ** 32)
  const keep = reshape(g, less(g, bits, g.scalar(Math.max(-(2 ** 31), limit), 'int32')), [x.shape[0], ...perExample])
  return where(g, keep, mul(g, x, 1 / (1 - rate)), 0)
}

/** int32 [n, size], uniform over all integers, from seed, salt, row and column. */
function randomBits(g: GraphBuilder, seed: Value, salt: number, x: Value, size: number): Value {
  const n = x.shape[0]
  const rows =
    typeof n === 'number'
      ? g.constant(
          Int32Array.from({ length: n }, (_, i) => Math.imul(i, ROW_STEP)),
          [n, 1],
        )
      : mul(
          g,
          reshape(g, cast(g, range(g, 0, reshape(g, g.op('Shape', [x], { start: 0, end: 1 }), [])), 'int32'), [-1, 1]),
          ROW_STEP,
        )
  const columns = Int32Array.from({ length: size }, (_, i) => Math.imul(i, COLUMN_STEP) + Math.imul(salt, SALT_STEP))
  const rowHash = mix(g, mix(g, add(g, rows, seed)))
  return mix(g, mix(g, add(g, rowHash, g.constant(columns, [1, size]))))
}

function mix(g: GraphBuilder, x: Value): Value {
  return mul(g, x, add(g, mul(g, x, 2), 1))
}
