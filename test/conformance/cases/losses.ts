// Losses over a batch, their gradients, and the joint norm of clipping, beside their textbook formulas.
import { sigmoidCrossEntropy, softmaxCrossEntropy, squaredError } from '../../../src/graph/losses.ts'
import { clipByNorm } from '../../../src/graph/optimizers/optimizer.ts'
import { type CaseInput, type Fill, type GraphCase, positive, values } from '../graph-case.ts'

const [N, K] = [4, 3]
const logits: CaseInput = { shape: [N, K] }
/** Soft targets, as mixup makes them. */
const mixed: CaseInput = { shape: [N, K], fill: values(1, 0, 0, 0.3, 0.7, 0, 0, 0.25, 0.75, 0, 0, 1) }
const many: CaseInput = { shape: [N, K], fill: values(1, 1, 0, 0, 0.5, 1) }
const weightsOf = (size: number, fill: Fill = positive): CaseInput => ({ shape: [size], fill })

const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length
const rows = (xs: ArrayLike<number>) =>
  Array.from({ length: N }, (_, i) => Array.from({ length: K }, (_, k) => xs[K * i + k]))

function softmaxLoss(x: ArrayLike<number>, t: ArrayLike<number>, classes: ArrayLike<number> | null, smoothing: number) {
  const targets = rows(t)
  return rows(x).map((row, i) => {
    const total = row.reduce((sum, v) => sum + Math.exp(v), 0)
    const weight = classes === null ? 1 : targets[i].reduce((sum, target, k) => sum + classes[k] * target, 0)
    return -row.reduce((sum, v, k) => {
      const target = (1 - smoothing) * targets[i][k] + smoothing / K
      return sum + weight * target * Math.log(Math.exp(v) / total)
    }, 0)
  })
}

function sigmoidLoss(x: ArrayLike<number>, t: ArrayLike<number>, classes: ArrayLike<number> | null, smoothing: number) {
  const targets = rows(t)
  return rows(x).map((row, i) =>
    mean(
      row.map((v, k) => {
        const p = 1 / (1 + Math.exp(-v))
        const target = (1 - smoothing) * targets[i][k] + smoothing / 2
        const weight = 1 + ((classes?.[k] ?? 1) - 1) * targets[i][k]
        return -weight * (target * Math.log(p) + (1 - target) * Math.log(1 - p))
      }),
    ),
  )
}

const losses = [
  ['loss softmax', softmaxCrossEntropy, softmaxLoss, mixed],
  ['loss sigmoid', sigmoidCrossEntropy, sigmoidLoss, many],
] as const

export const lossCases: readonly GraphCase[] = [
  ...losses.flatMap(([op, loss, formula, target]): GraphCase[] => [
    {
      op,
      what: 'soft targets',
      inputs: [logits, target],
      build: (g, [x, t]) => loss(g, x, t),
      truth: ([x, t]) => [[mean(formula(x, t, null, 0))]],
    },
    {
      op,
      what: 'class weights and label smoothing',
      inputs: [logits, target, weightsOf(K)],
      build: (g, [x, t, w]) => loss(g, x, t, { classWeights: w, labelSmoothing: 0.1 }),
      truth: ([x, t, w]) => [[mean(formula(x, t, w, 0.1))]],
    },
    {
      op,
      what: 'example weights',
      inputs: [logits, target, weightsOf(N, values(1, 0, 2, 0.5))],
      build: (g, [x, t, w]) => loss(g, x, t, { exampleWeights: w }),
      truth: ([x, t, w]) => [[formula(x, t, null, 0).reduce((sum, v, i) => sum + v * w[i], 0) / 3.5]],
    },
    {
      op,
      what: 'logits far out stay finite',
      inputs: [{ shape: [N, K], fill: values(60, -60, 0, -80, 80, 1) }, target],
      build: (g, [x, t]) => loss(g, x, t),
      smooth: false,
    },
  ]),
  {
    op: 'loss squared',
    what: 'any shape',
    inputs: [{ shape: [2, 3, 2] }, { shape: [2, 3, 2] }],
    build: (g, [x, t]) => squaredError(g, x, t),
    truth: ([x, t]) => [[mean(Array.from(x, (v, i) => (v - t[i]) ** 2))]],
  },
  ...[0.5, 100].map(
    (limit): GraphCase => ({
      op: 'clip by norm',
      what: `limit ${limit}`,
      inputs: [{ shape: [2, 3] }, { shape: [4] }],
      build: (g, xs) => {
        const { grads, norm } = clipByNorm(g, xs, g.scalar(limit))
        return [...grads, norm]
      },
      truth: ([a, b]) => {
        const norm = Math.hypot(...a, ...b)
        const factor = Math.min(1, limit / norm)
        return [a.map((v) => v * factor), b.map((v) => v * factor), [norm]]
      },
      gradient: false,
    }),
  ),
]
