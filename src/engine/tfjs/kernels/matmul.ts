// Matrix products and Einsum.
import { commonShape } from '../broadcast.ts'
import type { KernelTable } from '../kernel.ts'
import type { Tf, TfTensor } from '../runtime.ts'
import { sizeOf } from './layout.ts'

export const matmulKernels: KernelTable = {
  MatMul: (call) => product(call.tf, call.in(0), call.in(1), false, false),
  FusedMatMul: (call) => {
    const { tf } = call
    if (call.flag('transBatchA') || call.flag('transBatchB')) call.unsupported('transposed batch axes')
    const alpha = call.number('alpha', 1)
    const y = product(tf, call.in(0), call.in(1), call.flag('transA'), call.flag('transB'))
    return alpha === 1 ? y : tf.mul(y, alpha)
  },
  Gemm: (call) => {
    const { tf } = call
    const [alpha, beta] = [call.number('alpha', 1), call.number('beta', 1)]
    const y = tf.matMul(call.in(0), call.in(1), call.flag('transA'), call.flag('transB'))
    const scaled = alpha === 1 ? y : tf.mul(y, alpha)
    if (!call.has(2) || beta === 0) return scaled
    return tf.add(scaled, beta === 1 ? call.in(2) : tf.mul(call.in(2), beta))
  },
  Einsum: (call) => {
    const [left, right] = call.text('equation', '').replaceAll(' ', '').split('->')
    const terms = left.split(',').map((letters, i): Term => ({ letters, x: call.in(i) }))
    // From left to right, keeping what later terms or the result still need.
    let sum = terms[0]
    for (let i = 1; i < terms.length; i++) {
      const later =
        right +
        terms
          .slice(i + 1)
          .map(({ letters }) => letters)
          .join('')
      sum = contracted(call.tf, sum, terms[i], later)
    }
    const reduced = summedOut(call.tf, sum, right)
    return ordered(call.tf, reduced, right).clone()
  },
}

/** [..., m, k] x [..., k, n], vectors and batch axes as numpy has them. */
function product(tf: Tf, a: TfTensor, b: TfTensor, transA: boolean, transB: boolean): TfTensor {
  if (a.rank > 1 && b.rank === 2 && !transA) {
    // One matrix for the whole batch: a single product.
    const y = tf.matMul(tf.reshape(a, [-1, a.shape[a.rank - 1]]), b, false, transB)
    return tf.reshape(y, [...a.shape.slice(0, -1), y.shape[1] as number])
  }
  const [left, right] = equalBatches(
    tf,
    a.rank === 1 ? tf.reshape(a, [1, -1]) : a,
    b.rank === 1 ? tf.reshape(b, [-1, 1]) : b,
  )
  const y = tf.matMul(left, right, transA && a.rank > 1, transB && b.rank > 1)
  const shape = [...y.shape]
  if (b.rank === 1) shape.pop()
  if (a.rank === 1) shape.splice(shape.length - (b.rank === 1 ? 1 : 2), 1)
  return tf.reshape(y, shape)
}

/** tfjs's JavaScript backend broadcasts batch axes wrongly unless they are equal or one side has a single matrix. */
function equalBatches(tf: Tf, a: TfTensor, b: TfTensor): [TfTensor, TfTensor] {
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  if (sizeOf(batchA) === 1 || sizeOf(batchB) === 1 || batchA.join() === batchB.join()) return [a, b]
  const batch = commonShape(batchA, batchB)
  return [tf.broadcastTo(a, [...batch, ...a.shape.slice(-2)]), tf.broadcastTo(b, [...batch, ...b.shape.slice(-2)])]
}

interface Term {
  letters: string
  x: TfTensor
}

/** Axes that are in neither `needed` are summed. */
function summedOut(tf: Tf, { letters, x }: Term, needed: string): Term {
  const axes = [...letters].flatMap((letter, i) => (needed.includes(letter) ? [] : [i]))
  if (axes.length === 0) return { letters, x }
  return { letters: [...letters].filter((letter) => needed.includes(letter)).join(''), x: tf.sum(x, axes) }
}

function ordered(tf: Tf, { letters, x }: Term, order: string): TfTensor {
  return tf.transpose(
    x,
    [...order].map((letter) => letters.indexOf(letter)),
  )
}

/** Two terms as one batched matrix product: shared axes that are needed later are the batch, the other shared ones are summed. */
function contracted(tf: Tf, first: Term, second: Term, later: string): Term {
  const a = summedOut(tf, first, later + second.letters)
  const b = summedOut(tf, second, later + first.letters)
  const shared = [...a.letters].filter((letter) => b.letters.includes(letter))
  const batch = shared.filter((letter) => later.includes(letter)).join('')
  const inner = shared.filter((letter) => !later.includes(letter)).join('')
  const rows = [...a.letters].filter((letter) => !shared.includes(letter)).join('')
  const columns = [...b.letters].filter((letter) => !shared.includes(letter)).join('')
  const sizes = (term: Term, letters: string) =>
    [...letters].map((letter) => term.x.shape[term.letters.indexOf(letter)])
  const [batchSizes, innerSizes] = [sizes(a, batch), sizes(a, inner)]
  const [rowSizes, columnSizes] = [sizes(a, rows), sizes(b, columns)]
  const [n, k] = [sizeOf(batchSizes), sizeOf(innerSizes)]
  const left = tf.reshape(ordered(tf, a, batch + rows + inner), [n, sizeOf(rowSizes), k])
  const right = tf.reshape(ordered(tf, b, batch + inner + columns), [n, k, sizeOf(columnSizes)])
  const y = tf.reshape(tf.matMul(left, right), [...batchSizes, ...rowSizes, ...columnSizes])
  return { letters: batch + rows + columns, x: y }
}
