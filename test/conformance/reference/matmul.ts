// Matrix products as numpy has them: vectors are rows on the left and columns on the right, leading axes broadcast.
import {
  broadcastAt,
  broadcastShape,
  generate,
  input,
  intAttr,
  type RefCall,
  type RefTable,
  type RefTensor,
  sizeOf,
  tensor,
} from './tensor.ts'

/** a [..., m, k] x b [..., k, n] -> [..., m, n], either pair of last axes exchanged first. */
function product(a: RefTensor, b: RefTensor, transA: boolean, transB: boolean, alpha: number): RefTensor {
  const left = a.shape.length === 1 ? { ...a, shape: [1, a.shape[0]] } : transA ? transposed(a) : a
  const right = b.shape.length === 1 ? { ...b, shape: [b.shape[0], 1] } : transB ? transposed(b) : b
  const [m, k] = left.shape.slice(-2)
  const n = right.shape.at(-1)!
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2))
  const count = sizeOf(batch)
  const [fromA, fromB] = [left, right].map((x) => batchOffsets(x, batch))
  const out = new Float64Array(count * m * n)
  for (let i = 0; i < count; i++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0
        for (let j = 0; j < k; j++) {
          sum += left.data[fromA[i] * m * k + row * k + j] * right.data[fromB[i] * k * n + j * n + column]
        }
        out[(i * m + row) * n + column] = alpha * sum
      }
    }
  }
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])]
  return tensor(a.type, shape, out)
}

/** Number of the matrix of `x` that each matrix of the result uses. */
function batchOffsets(x: RefTensor, batch: readonly number[]): Float64Array {
  const lead = x.shape.slice(0, -2)
  const order = generate('int64', lead, (_, flat) => flat)
  return generate('int64', batch, (index) => broadcastAt(order, index)).data
}

function transposed(x: RefTensor): RefTensor {
  const [rows, columns] = x.shape.slice(-2)
  const shape = [...x.shape.slice(0, -2), columns, rows]
  const plane = rows * columns
  return generate(x.type, shape, (_, flat) => {
    const [matrix, place] = [Math.floor(flat / plane), flat % plane]
    return x.data[matrix * plane + (place % rows) * columns + Math.floor(place / rows)]
  })
}

const flag = (call: RefCall, name: string) => intAttr(call, name, 0) === 1

export const matmulReference: RefTable = {
  MatMul: (call) => product(input(call, 0), input(call, 1), false, false, 1),
  FusedMatMul: (call) =>
    product(input(call, 0), input(call, 1), flag(call, 'transA'), flag(call, 'transB'), intAttr(call, 'alpha', 1)),
  Gemm: (call) => {
    const [a, b] = [input(call, 0), input(call, 1)]
    const y = product(a, b, flag(call, 'transA'), flag(call, 'transB'), intAttr(call, 'alpha', 1))
    const c = call.inputs[2]
    if (!c) return y
    const beta = intAttr(call, 'beta', 1)
    return generate(y.type, y.shape, (index, flat) => y.data[flat] + beta * broadcastAt(c, index))
  },
}
