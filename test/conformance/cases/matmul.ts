// Matrix products: every pairing of ranks, transposes, scales.
import { gemm, matmul } from '../../../src/graph/functions.ts'
import type { GraphCase } from '../graph-case.ts'

const pairings: [string, readonly number[], readonly number[]][] = [
  ['matrices', [2, 3], [3, 4]],
  ['one row by one column', [1, 5], [5, 1]],
  ['a batch by one matrix', [2, 2, 3], [3, 2]],
  ['one matrix by a batch', [2, 3], [2, 3, 2]],
  ['two batches', [3, 2, 4], [3, 4, 2]],
  ['two batches, one broadcast', [2, 3, 2, 3], [3, 3, 2]],
  ['a matrix by a vector', [2, 3], [3]],
  ['a vector by a batch', [3], [2, 3, 2]],
  ['two vectors', [4], [4]],
  ['a larger product', [17, 33], [33, 9]],
]

export const matmulCases: readonly GraphCase[] = [
  ...pairings.map(
    ([what, a, b]): GraphCase => ({
      op: 'MatMul',
      what,
      inputs: [{ shape: a }, { shape: b }],
      build: (g, [x, y]) => matmul(g, x, y),
    }),
  ),
  {
    op: 'MatMul',
    what: 'an unknown batch',
    inputs: [{ shape: [3, 2], symbols: { 0: 'n' } }, { shape: [2, 4] }],
    build: (g, [x, y]) => matmul(g, x, y),
  },
  {
    op: 'MatMul',
    what: 'no rows',
    inputs: [{ shape: [0, 3] }, { shape: [3, 2] }],
    build: (g, [x, y]) => matmul(g, x, y),
    gradient: false,
  },
  ...[false, true].flatMap((transA) =>
    [false, true].flatMap((transB): GraphCase[] => [
      {
        op: 'Gemm',
        what: `transA ${transA}, transB ${transB}, scaled, a row added`,
        inputs: [{ shape: transA ? [3, 2] : [2, 3] }, { shape: transB ? [4, 3] : [3, 4] }, { shape: [4] }],
        build: (g, [a, b, c]) => gemm(g, a, b, c, { transA, transB, alpha: 0.5, beta: 2 }),
      },
      {
        op: 'FusedMatMul',
        what: `transA ${transA}, transB ${transB}, scaled`,
        inputs: [{ shape: transA ? [2, 3, 2] : [2, 2, 3] }, { shape: transB ? [2, 4, 3] : [2, 3, 4] }],
        build: (g, [a, b]) => g.op('FusedMatMul', [a, b], { transA: +transA, transB: +transB, alpha: 0.5 }),
      },
    ]),
  ),
  {
    op: 'FusedMatMul',
    what: 'one matrix for a batch, transposed',
    inputs: [{ shape: [2, 3, 4] }, { shape: [5, 4] }],
    build: (g, [a, b]) => g.op('FusedMatMul', [a, b], { transB: 1 }),
  },
  ...([[], [1], [2, 1], [2, 4], [1, 4]] as const).map(
    (shape): GraphCase => ({
      op: 'Gemm',
      what: `addend [${shape}]`,
      inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape }],
      build: (g, [a, b, c]) => gemm(g, a, b, c),
    }),
  ),
]
