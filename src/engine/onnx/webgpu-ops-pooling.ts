// The gradient of overlapping maxima without places: onnxruntime's WebGPU provider has no MaxPool with a second output. What scatters a
// gradient to the winners' places (graph/gradients/pooling.ts) becomes: every window laid out along an axis by strided slices, the
// first element that equals the maximum, and a transposed convolution that adds each window's gradient to where its winner stood.
//   dx[i] = sum of dy[o] over windows o whose first maximum is element i
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { isStatic } from '../../graph/dims.ts'
import { add, cast, concat, mul, pad, reduceMax, reshape } from '../../graph/functions.ts'
import type { Attributes, Graph } from '../../graph/graph.ts'

/** A MaxPool whose places are written away. */
export interface Pooling {
  x: Value
  y: Value
  attrs: Attributes
}

/** No float32 is less, and shaders need not know infinity. */
const LOWEST = -3.4028234663852886e38

/** Whether all that a MaxPool's places are read for is adding something up at them. */
export function placesOnlyScatter(graph: Graph, places: string): boolean {
  if (graph.outputs.some(({ name }) => name === places)) return false
  return graph.nodes
    .filter(({ inputs }) => inputs.includes(places))
    .every((reader) =>
      reader.op === 'Reshape'
        ? placesOnlyScatter(graph, reader.outputs[0])
        : reader.op === 'ScatterElements' &&
          reader.inputs.indexOf(places) === 1 &&
          reader.attrs.axis === 0 &&
          reader.attrs.reduction === 'add',
    )
}

/** Whether the window's attributes say all that `scatterToWinners` must know. */
export function isPlainWindow(x: Value, attrs: Attributes): boolean {
  return isStatic(x.shape.slice(2)) && (attrs.auto_pad ?? 'NOTSET') === 'NOTSET' && (attrs.storage_order ?? 0) === 0
}

/**
 * `into` plus `dy` at the winners' places.
 * @param into x's elements in one row; @param dy y's elements in one row
 */
export function scatterToWinners(g: GraphBuilder, { x, y, attrs }: Pooling, into: Value, dy: Value): Value {
  const space = x.shape.slice(2) as number[]
  const out = y.shape.slice(2) as number[]
  const ones = space.map(() => 1)
  const kernel = attrs.kernel_shape as readonly number[]
  const strides = (attrs.strides as readonly number[] | undefined) ?? ones
  const dilations = (attrs.dilations as readonly number[] | undefined) ?? ones
  const pads = (attrs.pads as readonly number[] | undefined) ?? [...ones, ...ones].fill(0)
  const size = kernel.reduce((a, b) => a * b, 1)
  // How far all windows reach: in ceil mode beyond the pads, else often less far than the input.
  const reach = out.map((o, i) => strides[i] * (o - 1) + dilations[i] * (kernel[i] - 1) + 1)
  const ends = reach.map((r, i) => Math.max(0, r - pads[i] - space[i]))

  const planes = reshape(g, x, [-1, 1, ...space])
  const begins = pads.slice(0, space.length)
  const padded = pad(g, planes, [0, 0, ...begins, 0, 0, ...ends], LOWEST)
  const axes = g.ints(space.map((_, i) => i + 2))
  const elements = Array.from({ length: size }, (_, j) => {
    const from = placeIn(kernel, j).map((at, i) => at * dilations[i])
    const to = from.map((at, i) => at + strides[i] * (out[i] - 1) + 1)
    return g.op('Slice', [padded, g.ints(from), g.ints(to), axes, g.ints(strides)])
  })
  const wins = g.op('Equal', [concat(g, elements, 1), reshape(g, y, [-1, 1, ...out])])
  // Of equal maxima the first one: it has the highest rank.
  const rank = g.constant(
    Float32Array.from({ length: size }, (_, j) => size - j),
    [1, size, ...ones],
  )
  const ranked = mul(g, cast(g, wins, 'float32'), rank)
  const first = cast(g, g.op('Equal', [ranked, reduceMax(g, ranked, [1], true)]), 'float32')
  const shares = mul(g, first, reshape(g, dy, [-1, 1, ...out]))

  const back = g.constant(unitKernels(size), [size, 1, ...kernel])
  const output_padding = space.map((s, i) => Math.max(0, s + pads[i] - reach[i]))
  const cropped = [...begins, ...ends]
  const window = { kernel_shape: kernel, strides, dilations, pads: cropped, output_padding }
  const gradient = g.op('ConvTranspose', [shares, back], window)
  return add(g, into, reshape(g, gradient, [-1]))
}

/** Coordinates of a window's j-th element, the last axis running fastest. */
function placeIn(kernel: readonly number[], j: number): number[] {
  const at: number[] = []
  for (let rest = j, i = kernel.length - 1; i >= 0; i--) {
    at.unshift(rest % kernel[i])
    rest = Math.floor(rest / kernel[i])
  }
  return at
}

/** [size, size]: kernel j is 1 at its j-th element. */
function unitKernels(size: number): Float32Array {
  const kernels = new Float32Array(size * size)
  for (let j = 0; j < size; j++) kernels[j * size + j] = 1
  return kernels
}
