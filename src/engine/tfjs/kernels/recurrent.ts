// ONNX's recurrent layers with their default activations, step by step: x [t, n, inputs], W [d, gates*hidden, inputs],
// R [d, gates*hidden, hidden], B [d, 2*gates*hidden]. Gate order: LSTM i, o, f, c; GRU z, r, h.
import type { Call, Kernel, KernelTable } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'

type Kind = 'LSTM' | 'GRU' | 'RNN'
const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const
const ACTIVATIONS = { LSTM: 'Sigmoid,Tanh,Tanh', GRU: 'Sigmoid,Tanh', RNN: 'Tanh' } as const

export const recurrentKernels: KernelTable = {
  LSTM: recurrent('LSTM'),
  GRU: recurrent('GRU'),
  RNN: recurrent('RNN'),
}

interface Direction {
  /** [inputs, gates*hidden] */
  input: TfTensor
  /** [gates*hidden, hidden] */
  hidden: TfTensor
  /** [gates*hidden] each, zeros where there are none. */
  inputBias: TfTensor
  hiddenBias: TfTensor
  /** [3*hidden]: of gates i, o, f. */
  peepholes: TfTensor | null
  h: TfTensor
  c: TfTensor
}

function recurrent(kind: Kind): Kernel {
  return (call) => {
    const { tf } = call
    checkOptions(call, kind)
    const size = call.number('hidden_size', 0)
    const direction = call.text('direction', 'forward')
    const count = direction === 'bidirectional' ? 2 : 1
    const x = call.in(0)
    const [steps, n] = x.shape
    const lengths = call.has(4) ? call.in(4) : null
    const done = Array.from({ length: count }, (_, d) =>
      sequence(call, kind, x, weightsOf(call, kind, d, n, size), size, lengths, direction === 'reverse' || d === 1),
    )
    const y = tf.stack(Array.from({ length: steps }, (_, t) => tf.stack(done.map(({ outputs }) => outputs[t]))))
    const made: TfTensor[] = [y, tf.stack(done.map(({ h }) => h)), tf.stack(done.map(({ c }) => c))]
    return made.slice(0, call.types.length)
  }
}

function checkOptions(call: Call, kind: Kind): void {
  if (call.number('layout', 0) !== 0) call.unsupported('layout 1')
  if (call.number('clip', 0) !== 0) call.unsupported('clip')
  if (call.flag('input_forget')) call.unsupported('input_forget')
  const given = (call.node.attrs.activations ?? []) as readonly string[]
  const usual = ACTIVATIONS[kind]
  if (given.length > 0 && given.join() !== usual && given.join() !== `${usual},${usual}`) {
    call.unsupported(`activations ${given.join()}`)
  }
}

function weightsOf(call: Call, kind: Kind, d: number, n: number, size: number): Direction {
  const { tf } = call
  const rows = GATES[kind] * size
  const pick = (i: number): TfTensor => tf.unstack(call.in(i))[d]
  const bias = call.has(3) ? pick(3) : tf.zeros([2 * rows])
  return {
    input: tf.transpose(pick(1)),
    hidden: pick(2),
    inputBias: tf.slice(bias, 0, rows),
    hiddenBias: tf.slice(bias, rows, rows),
    peepholes: kind === 'LSTM' && call.has(7) ? pick(7) : null,
    h: call.has(5) ? pick(5) : tf.zeros([n, size]),
    c: kind === 'LSTM' && call.has(6) ? pick(6) : tf.zeros([n, size]),
  }
}

/** `lengths` [n]: later steps leave the state alone and give zeros. */
function sequence(
  call: Call,
  kind: Kind,
  x: TfTensor,
  weights: Direction,
  size: number,
  lengths: TfTensor | null,
  backwards: boolean,
) {
  const { tf } = call
  const [steps, n, inputs] = x.shape
  const rows = GATES[kind] * size
  // All input products at once.
  const flat = tf.matMul(tf.reshape(x, [steps * n, inputs]), weights.input)
  const projected = tf.unstack(tf.reshape(tf.add(flat, weights.inputBias), [steps, n, rows]))
  const outputs: TfTensor[] = []
  let { h, c } = weights
  for (let i = 0; i < steps; i++) {
    const t = backwards ? steps - 1 - i : i
    const next = step(call, kind, projected[t], { ...weights, h, c }, size)
    if (lengths === null) {
      outputs[t] = next.h
      ;({ h, c } = next)
      continue
    }
    const valid = tf.reshape(tf.less(tf.scalar(t, 'int32'), lengths), [n, 1])
    outputs[t] = tf.where(valid, next.h, tf.zerosLike(next.h))
    h = tf.where(valid, next.h, h)
    c = tf.where(valid, next.c, c)
  }
  return { outputs, h, c }
}

function step(call: Call, kind: Kind, xt: TfTensor, w: Direction, size: number): { h: TfTensor; c: TfTensor } {
  const { tf } = call
  if (kind === 'GRU') return { h: gruStep(tf, xt, w, size, call.flag('linear_before_reset')), c: w.c }
  const sums = tf.add(xt, tf.add(tf.matMul(w.h, w.hidden, false, true), w.hiddenBias))
  if (kind === 'RNN') return { h: tf.tanh(sums), c: w.c }
  const [i, o, f, c] = tf.split(sums, 4, 1) as TfTensor[]
  const peeps = w.peepholes === null ? null : (tf.split(w.peepholes, 3) as TfTensor[])
  const looking = (gate: TfTensor, cell: TfTensor, k: number): TfTensor =>
    tf.sigmoid(peeps === null ? gate : tf.add(gate, tf.mul(peeps[k], cell)))
  const cell = tf.add(tf.mul(looking(f, w.c, 2), w.c), tf.mul(looking(i, w.c, 0), tf.tanh(c))) as TfTensor
  return { h: tf.mul(looking(o, cell, 1), tf.tanh(cell)), c: cell }
}

function gruStep(tf: Tf, xt: TfTensor, w: Direction, size: number, resetAfter: boolean): TfTensor {
  const part = (v: TfTensor, gate: number, gates = 1): TfTensor =>
    v.rank === 1 ? tf.slice(v, gate * size, gates * size) : tf.slice(v, [0, gate * size], [v.shape[0], gates * size])
  const weights = (gate: number, gates = 1): TfTensor => tf.slice(w.hidden, [gate * size, 0], [gates * size, size])
  const recurrent = tf.add(tf.matMul(w.h, weights(0, 2), false, true), part(w.hiddenBias, 0, 2))
  const both = tf.sigmoid(tf.add(part(xt, 0, 2), recurrent))
  const [z, r] = [part(both, 0), part(both, 1)]
  const from = (h: TfTensor) => tf.add(tf.matMul(h, weights(2), false, true), part(w.hiddenBias, 2))
  const candidate = tf.tanh(tf.add(part(xt, 2), resetAfter ? tf.mul(r, from(w.h)) : from(tf.mul(r, w.h))))
  return tf.add(tf.mul(tf.sub(1, z), candidate), tf.mul(z, w.h))
}
