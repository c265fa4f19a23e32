// Recurrent layers as ONNX has them: x [t, n, inputs], W [directions, gates*hidden, inputs], R [directions, gates*hidden, hidden];
// outputs y [t, directions, n, hidden] and the last states [directions, n, hidden].
import type { Inferred, OpCall, OpSpec, OpTable } from './spec.ts'

const ATTRS = {
  activation_alpha: 'floats',
  activation_beta: 'floats',
  activations: 'strings',
  clip: 'float',
  direction: 'string',
  hidden_size: 'int',
  layout: 'int',
} as const

export const recurrentOps: OpTable = {
  LSTM: { arity: [3, 8], attrs: { ...ATTRS, input_forget: 'int' }, outputs: 3, infer: (c) => infer(c, 4) } as OpSpec,
  GRU: { arity: [3, 6], attrs: { ...ATTRS, linear_before_reset: 'int' }, outputs: 2, infer: (c) => infer(c, 3) },
  RNN: { arity: [3, 6], attrs: ATTRS, outputs: 2, infer: (c) => infer(c, 1) },
}

function infer(c: OpCall, gates: number): Inferred[] {
  const x = c.in(0).shape
  if (x.length !== 3) c.fail('input must be [t, n, inputs]')
  const hidden = c.int('hidden_size', 0)
  const directions = c.text('direction', 'forward') === 'bidirectional' ? 2 : 1
  const w = c.in(1).shape
  if (w.length !== 3 || w[0] !== directions || w[1] !== gates * hidden) {
    c.fail(`weights must be [${directions}, ${gates * hidden}, inputs]`)
  }
  const { type } = c.in(0)
  const state = { type, shape: [directions, x[1], hidden] }
  return [{ type, shape: [x[0], directions, x[1], hidden] }, state, state].slice(0, c.outputCount)
}
