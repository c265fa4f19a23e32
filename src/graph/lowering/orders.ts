// Orders of rows for the gathers that bring tensors into onnxruntime's blocked layout. A row is one block of numbers.
import type { GraphBuilder, Value } from '../builder.ts'

/** Weights: for every row (o/B, i/B, k, Bi) the row (o/B, i, k). */
export const weightOrder = oncePerGraph((outputs: number, inputs: number, size: number, block: number) => {
  const order = new Int32Array((outputs * inputs * size) / block)
  let at = 0
  for (let o = 0; o < outputs / block; o++) {
    for (let i = 0; i < inputs; i += block) {
      for (let k = 0; k < size; k++) for (let b = 0; b < block; b++) order[at++] = (o * inputs + i + b) * size + k
    }
  }
  return order
})

/** Weights of the input's gradient: for every row (i/B, o/B, k turned round, Bo) the row (o, i/B, k). */
export const turnedWeightOrder = oncePerGraph((outputs: number, inputs: number, size: number, block: number) => {
  const order = new Int32Array((outputs * inputs * size) / block)
  const blocks = inputs / block
  let at = 0
  for (let i = 0; i < blocks; i++) {
    for (let o = 0; o < outputs; o += block) {
      for (let k = size - 1; k >= 0; k--) {
        for (let b = 0; b < block; b++) order[at++] = ((o + b) * blocks + i) * size + k
      }
    }
  }
  return order
})

/** Kernels of the weight gradient: for every row (f/B, w, n/B, h, Bn) the row (n, f/B, h, w). */
export const kernelOrder = oncePerGraph(
  (n: number, filterBlocks: number, height: number, width: number, block: number) => {
    const order = new Int32Array(n * filterBlocks * height * width)
    const example = filterBlocks * height * width
    let at = 0
    for (let f = 0; f < filterBlocks; f++) {
      for (let w = 0; w < width; w++) {
        for (let group = 0; group < n; group += block) {
          for (let h = 0; h < height; h++) {
            let row = group * example + (f * height + h) * width + w
            for (let k = 0; k < block; k++, row += example) order[at++] = row
          }
        }
      }
    }
    return order
  },
)

/** A vector constant; layers of the same sizes in one graph share it. */
function oncePerGraph<S extends number[]>(make: (...sizes: S) => Int32Array): (g: GraphBuilder, ...sizes: S) => Value {
  const known = new WeakMap<GraphBuilder, Map<string, Value>>()
  return (g, ...sizes) => {
    const ofGraph = known.get(g) ?? new Map<string, Value>()
    known.set(g, ofGraph)
    const key = sizes.join()
    let order = ofGraph.get(key)
    if (order === undefined) {
      const rows = make(...sizes)
      order = g.constant(rows, [rows.length])
      ofGraph.set(key, order)
    }
    return order
  }
}
