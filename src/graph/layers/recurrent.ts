// GRU (Cho et al. 2014, reset after the product as in cuDNN) and LSTM (Hochreiter & Schmidhuber 1997). Training unrolls the steps,
// so their number must be static then; inference is ONNX's own operator with any number of steps. Parameters have ONNX's layout and
// gate order: GRU z, r, h; LSTM i, o, f, c.
import type { GraphBuilder, Value } from '../builder.ts'
import {
  add,
  cast,
  concat,
  gather,
  gemm,
  less,
  matmul,
  mul,
  reshape,
  sigmoid,
  slice,
  split,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
} from '../functions.ts'
import { type Network, uniformFanIn } from './network.ts'

export interface RecurrentOptions {
  /** Valid steps per example, int64 [n]; later steps leave the state alone and give zeros. @default all */
  lengths?: Value | null
  /** Also read from the end, with its own parameters; outputs are concatenated. @default false */
  bidirectional?: boolean
}

export interface RecurrentResult {
  /** [n, t, directions * hidden] */
  steps: Value
  /** State after the last valid step, [n, directions * hidden]. */
  last: Value
}

type Kind = 'GRU' | 'LSTM'
const GATES = { GRU: 3, LSTM: 4 } as const

/** x [n, t, inputs] */
export function gru(net: Network, x: Value, hidden: number, options: RecurrentOptions = {}): RecurrentResult {
  return recurrent(net, 'GRU', x, hidden, options)
}

/** x [n, t, inputs] */
export function lstm(net: Network, x: Value, hidden: number, options: RecurrentOptions = {}): RecurrentResult {
  return recurrent(net, 'LSTM', x, hidden, options)
}

interface Weights {
  /** [gates*hidden, inputs] */
  input: Value
  /** [gates*hidden, hidden] */
  hidden: Value
  /** [2*gates*hidden]: input biases, then hidden biases */
  bias: Value
}

function recurrent(net: Network, kind: Kind, x: Value, hidden: number, options: RecurrentOptions): RecurrentResult {
  const directions = options.bidirectional ? 2 : 1
  const lengths = options.lengths ?? null
  const weights = Array.from({ length: directions }, () => declare(net, kind, x.shape[2] as number, hidden))
  if (net.mode === 'infer') return inferenceOp(net.g, kind, x, hidden, weights, lengths)
  const results = weights.map((w, i) => unrolled(net.g, kind, x, hidden, w, lengths, i === 1))
  return {
    steps: concat(
      net.g,
      results.map((r) => r.steps),
      2,
    ),
    last: concat(
      net.g,
      results.map((r) => r.last),
      1,
    ),
  }
}

function declare(net: Network, kind: Kind, inputs: number, hidden: number): Weights {
  const name = net.layerName(kind.toLowerCase())
  const rows = GATES[kind] * hidden
  const init = uniformFanIn(hidden)
  return {
    input: net.parameter(`${name}.input`, [rows, inputs], init),
    hidden: net.parameter(`${name}.hidden`, [rows, hidden], init),
    bias: net.parameter(`${name}.bias`, [2 * rows], init, 'bias'),
  }
}

function inferenceOp(
  g: GraphBuilder,
  kind: Kind,
  x: Value,
  hidden: number,
  weights: readonly Weights[],
  lengths: Value | null,
): RecurrentResult {
  const [n, t] = x.shape
  const stack = (part: (w: Weights) => Value) =>
    concat(
      g,
      weights.map((w) => unsqueeze(g, part(w), [0])),
      0,
    )
  const inputs = [
    transpose(g, x, [1, 0, 2]),
    stack((w) => w.input),
    stack((w) => w.hidden),
    stack((w) => w.bias),
    lengths && cast(g, lengths, 'int32'),
  ]
  const attrs = { hidden_size: hidden, direction: weights.length === 2 ? 'bidirectional' : 'forward' }
  const [y, state] = g.ops(kind, inputs, kind === 'GRU' ? { ...attrs, linear_before_reset: 1 } : attrs, 2)
  const width = weights.length * hidden
  return {
    steps: reshape(g, g.refine(transpose(g, y, [2, 0, 1, 3]), [n, t, weights.length, hidden]), [n, t, width]),
    last: reshape(g, transpose(g, state, [1, 0, 2]), [n, width]),
  }
}

function unrolled(
  g: GraphBuilder,
  kind: Kind,
  x: Value,
  hidden: number,
  weights: Weights,
  lengths: Value | null,
  backwards: boolean,
): RecurrentResult {
  const [n, steps] = x.shape as [number | string, number, number]
  const rows = GATES[kind] * hidden
  const [inputBias, hiddenBias] = split(g, weights.bias, 0, [rows, rows])
  // All input products at once: [n, t, rows].
  const projected = add(g, matmul(g, x, transpose(g, weights.input, [1, 0])), inputBias)
  let h: Value | null = null
  let c: Value | null = null
  const outputs: Value[] = []
  for (let i = 0; i < steps; i++) {
    const t = backwards ? steps - 1 - i : i
    const xt = gather(g, projected, g.scalar(t, 'int64'), 1)
    const from = h ? gemm(g, h, weights.hidden, hiddenBias, { transB: true }) : null
    const next: { h: Value; c: Value | null } =
      kind === 'GRU' ? gruStep(g, xt, from ?? hiddenBias, h, hidden) : lstmStep(g, xt, from ?? hiddenBias, c, hidden)
    if (lengths === null) {
      h = next.h
      c = next.c
      outputs[t] = h
      continue
    }
    const valid = reshape(g, less(g, g.scalar(t, 'int64'), lengths), [n, 1])
    outputs[t] = where(g, valid, next.h, 0)
    h = where(g, valid, next.h, h ?? 0)
    c = next.c && where(g, valid, next.c, c ?? 0)
  }
  return {
    steps: concat(
      g,
      outputs.map((o) => unsqueeze(g, o, [1])),
      1,
    ),
    last: h!,
  }
}

/** Gates z, r, h. `from`: [n, 3*hidden] or, at the first step, the bias alone. */
function gruStep(g: GraphBuilder, xt: Value, from: Value, h: Value | null, hidden: number) {
  const gate = (v: Value, i: number) => slice(g, v, v.shape.length - 1, i * hidden, (i + 1) * hidden)
  const both = sigmoid(g, add(g, slice(g, xt, 1, 0, 2 * hidden), slice(g, from, from.shape.length - 1, 0, 2 * hidden)))
  const [z, r] = [gate(both, 0), gate(both, 1)]
  const candidate = tanh(g, add(g, gate(xt, 2), mul(g, r, gate(from, 2))))
  const kept = h === null ? mul(g, candidate, z) : mul(g, z, sub(g, candidate, h))
  return { h: sub(g, candidate, kept), c: null }
}

/** Gates i, o, f, c. */
function lstmStep(g: GraphBuilder, xt: Value, from: Value, c: Value | null, hidden: number) {
  const sums = add(g, xt, from)
  const gate = (v: Value, i: number) => slice(g, v, 1, i * hidden, (i + 1) * hidden)
  const gates = sigmoid(g, slice(g, sums, 1, 0, 3 * hidden))
  const fresh = mul(g, gate(gates, 0), tanh(g, gate(sums, 3)))
  const cell = c === null ? fresh : add(g, mul(g, gate(gates, 2), c), fresh)
  return { h: mul(g, gate(gates, 1), tanh(g, cell)), c: cell }
}
