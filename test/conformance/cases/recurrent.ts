// Recurrent operators: directions, lengths, initial states.
import type { GraphCase } from '../graph-case.ts'

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const
const [T, N, I, H] = [4, 2, 3, 5]

export const recurrentCases: readonly GraphCase[] = (['RNN', 'GRU', 'LSTM'] as const).flatMap((op) => {
  const rows = GATES[op] * H
  const outputs = op === 'LSTM' ? 3 : 2
  const weights = (directions: number) => [
    { shape: [T, N, I] },
    { shape: [directions, rows, I] },
    { shape: [directions, rows, H] },
    { shape: [directions, 2 * rows] },
  ]
  const reset = op === 'GRU' ? { linear_before_reset: 1 } : {}
  const make = (what: string, rest: Partial<GraphCase>): GraphCase => ({
    op,
    what,
    inputs: weights(1),
    build: (g, xs) => g.ops(op, xs, { hidden_size: H, ...reset }, outputs),
    gradient: false,
    ...rest,
  })
  return [
    make('forward', {}),
    make('reverse', { build: (g, xs) => g.ops(op, xs, { hidden_size: H, direction: 'reverse', ...reset }, outputs) }),
    make('bidirectional, lengths', {
      inputs: weights(2),
      build: (g, xs) =>
        g.ops(
          op,
          [...xs, g.constant(Int32Array.of(4, 2), [N])],
          { hidden_size: H, direction: 'bidirectional', ...reset },
          outputs,
        ),
    }),
    make('an initial state', {
      inputs: [...weights(1), { shape: [1, N, H] }],
      build: (g, [x, w, r, b, h]) => g.ops(op, [x, w, r, b, null, h], { hidden_size: H, ...reset }, outputs),
    }),
    make('no bias', {
      inputs: weights(1).slice(0, 3),
      build: (g, xs) => g.ops(op, xs, { hidden_size: H, ...reset }, 1),
    }),
    ...(op === 'GRU'
      ? [make('reset before the product', { build: (g, xs) => g.ops(op, xs, { hidden_size: H }, 2) })]
      : []),
  ]
})
