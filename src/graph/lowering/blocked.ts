// The blocked layout of onnxruntime's CPU provider (domain com.microsoft.nchwc): channels in blocks of 8 (AVX2) or 16 (AVX-512), [n,
// c/block, h, w, block]. Its convolutions reach the processor's limit, where plain ones with changing weights get half of it, so a
// training graph is kept in this layout from the first convolution to the last: a value is known in one or both layouts, and is
// reordered only where an operator needs the other. Values of rank 3 ([n, c, length]) are blocked as [n, c, 1, length].
// The weight gradient is itself such a convolution: `blockedWeightGradient` in weight-gradient.ts.
// Long, because which operators keep the layout, and at what cost they leave it, is one table of cases that must agree.
import type { GraphBuilder, Value } from '../builder.ts'
import { type Dim, formatShape } from '../dims.ts'
import {
  abs,
  add,
  cast,
  div,
  gather,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  sub,
  transpose,
} from '../functions.ts'
import type { ConvGeometry } from '../gradients/convolution.ts'
import type { Graph, GraphNode, ValueInfo } from '../graph.ts'
import { turnedWeightOrder, weightOrder } from './orders.ts'
import { blockedWeightGradient } from './weight-gradient.ts'

/** Element-by-element operators: any layout will do. */
const POINTWISE = new Set([
  ...[
    'Relu',
    'LeakyRelu',
    'Elu',
    'Sigmoid',
    'Tanh',
    'Sign',
    'Abs',
    'Neg',
    'Exp',
    'Sqrt',
    'Reciprocal',
    'Log',
    'Gelu',
    'Erf',
  ],
  ...[
    'HardSigmoid',
    'HardSwish',
    'Softplus',
    'Clip',
    'Not',
    'Cast',
    'Identity',
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Pow',
    'Min',
  ],
  ...['Max', 'Sum', 'Where', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or'],
])

/** A power of two so large that the smallest difference that counts becomes more than 1. */
const HUGE = 2 ** 100

/** Turns huge positive and negative numbers into 1 and 0. */
const MASK = { activation: 'Clip', activation_params: [0, 1] }

export class BlockedLayout {
  readonly #blocked = new Map<string, Value>()
  readonly #producers = new Map<string, GraphNode>()
  readonly #consumers = new Map<string, GraphNode[]>()
  readonly #outputs: Set<string>
  readonly #done = new Set<GraphNode>()

  constructor(
    readonly g: GraphBuilder,
    graph: Graph,
    readonly values: Map<string, Value>,
    readonly block: number,
  ) {
    for (const node of graph.nodes) {
      for (const name of node.outputs) this.#producers.set(name, node)
      for (const name of node.inputs) this.#consumers.set(name, [...(this.#consumers.get(name) ?? []), node])
    }
    this.#outputs = new Set(graph.outputs.map((output) => output.name))
  }

  /** The value in its plain layout. */
  plain(name: string): Value {
    const known = this.values.get(name)
    if (known) return known
    const { g } = this
    const blocked = this.#blocked.get(name)!
    const [n, channels, h, w] = blocked.shape
    const shape: Dim[] = this.#isFlat.has(name) ? [n, channels, w] : [n, channels, h, w]
    // Only float32 can be reordered: truth values and integers pass through it.
    const reorder = (v: Value) => g.op('nchwc.ReorderOutput', [cast(g, v, 'float32')], { channels: channels as number })
    const reordered = h === 1 && w === 1 ? blocked : cast(g, reorder(blocked), blocked.type)
    const value = this.#isFlat.has(name) ? reshape(g, reordered, shape) : reordered
    this.values.set(name, value)
    return value
  }

  /** Names whose plain form has rank 3. */
  readonly #isFlat = new Set<string>()

  #setBlocked(name: string, value: Value, flat: boolean): void {
    this.#blocked.set(name, value)
    if (flat) this.#isFlat.add(name)
  }

  #shapeOf(name: string): { info: ValueInfo; flat: boolean } {
    const plain = this.values.get(name)
    if (plain) return { info: plain, flat: plain.shape.length === 3 }
    return { info: this.#blocked.get(name)!, flat: this.#isFlat.has(name) }
  }

  /** The value in blocked layout; null where its channels do not fill blocks. */
  #toBlocked(name: string): Value | null {
    const known = this.#blocked.get(name)
    if (known) return known
    const plain = this.values.get(name)!
    const { shape } = plain
    if (plain.type !== 'float32' || (shape.length !== 3 && shape.length !== 4)) return null
    if (typeof shape[1] !== 'number' || shape[1] % this.block !== 0) return null
    if (shape.slice(2).some((dim) => typeof dim !== 'number')) return null
    const { g } = this
    const square = shape.length === 3 ? reshape(g, plain, [shape[0], shape[1], 1, shape[2]]) : plain
    const single = square.shape[2] === 1 && square.shape[3] === 1
    const value = single ? square : g.op('nchwc.ReorderInput', [square])
    this.#setBlocked(name, value, shape.length === 3)
    return value
  }

  /** Lowers `node` in blocked layout if that is possible and worth it. */
  lower(node: GraphNode): boolean {
    if (this.#done.has(node)) return true
    switch (node.op) {
      case 'Conv':
        return this.#conv(node)
      case 'grad.ConvInput':
        return this.#convInput(node)
      case 'grad.ConvWeight':
        return this.#convWeight(node)
      case 'channel.Affine':
        return this.#affine(node)
      case 'MaxPool':
      case 'AveragePool':
        return this.#pool(node)
      case 'grad.MaxPoolTiles':
        return this.#maxPoolTiles(node)
      case 'grad.GlobalMaxPool':
        return this.#globalMaxPoolGradient(node)
      case 'Transpose':
        return this.#transpose(node)
      case 'GlobalAveragePool':
      case 'GlobalMaxPool':
        return this.#globalPool(node)
      case 'ReduceMean':
      case 'ReduceSum':
      case 'ReduceMax':
        return this.#reduce(node)
      case 'Concat':
        return this.#concat(node)
      case 'Mul':
        return this.#product(node) || this.#pointwise(node)
      case 'Sign':
        return this.#sign(node) || this.#pointwise(node)
      default:
        return POINTWISE.has(node.op) && this.#pointwise(node)
    }
  }

  #conv(node: GraphNode): boolean {
    const { g, block } = this
    const geometry = squared(node)
    const w = this.values.get(node.inputs[1])
    if (!w || !geometry) return false
    const [outputs, perGroup] = w.shape as number[]
    if (outputs % block !== 0) return false
    const { flat } = this.#shapeOf(node.inputs[0])
    const depthwise = geometry.group > 1 && geometry.group === outputs && perGroup === 1
    if (geometry.group > 1 && !depthwise) return false
    let x: Value | null
    if (geometry.group === 1 && perGroup < block) {
      const plain = this.plain(node.inputs[0])
      x = flat ? reshape(g, plain, [plain.shape[0], plain.shape[1], 1, plain.shape[2]]) : plain
      if (x.shape.slice(2).some((dim) => typeof dim !== 'number')) return false
    } else x = this.#toBlocked(node.inputs[0])
    if (x === null) return false
    const bias = node.inputs[2] ? this.plain(node.inputs[2]) : null
    this.#finish(node, [x, this.#weights(w), bias], { ...attrsOf(geometry), group: geometry.group }, flat)
    return true
  }

  /** Emits a blocked convolution, with the ReLU that follows if nothing else reads the sum. */
  #finish(node: GraphNode, inputs: (Value | null)[], attrs: Record<string, number | number[]>, flat: boolean): void {
    const readers = this.#consumers.get(node.outputs[0]) ?? []
    const fuse = readers.length === 1 && readers[0].op === 'Relu' && !this.#outputs.has(node.outputs[0])
    const used = inputs.at(-1) === null ? inputs.slice(0, -1) : inputs
    const y = this.g.op('nchwc.Conv', used, fuse ? { ...attrs, activation: 'Relu' } : attrs)
    if (fuse) this.#done.add(readers[0])
    this.#setBlocked(fuse ? readers[0].outputs[0] : node.outputs[0], y, flat)
  }

  /** w [o, i, ...kernel] as blocks: [o/B, i/B, h, w, Bi, Bo], or [o/B, i, h, w, Bo] where i does not fill a block. */
  #weights(w: Value): Value {
    const { g, block } = this
    const [outputs, inputs, ...kernel] = w.shape as number[]
    const size = kernel.reduce((a, b) => a * b, 1)
    const shape = [outputs, inputs, ...(kernel.length === 1 ? [1, ...kernel] : kernel)]
    // Rows (o/B, i, k) of Bo.
    const rows = g.op('nchwc.ReorderInput', [reshape(g, w, [outputs / block, block, 1, inputs * size])])
    if (inputs % block !== 0 || size === 1) return reshape(g, rows, shape)
    const order = weightOrder(g, outputs, inputs, size, block)
    return reshape(g, this.#gatherRows(rows, order), shape)
  }

  /** Weights of the convolution that gives the input gradient: channels exchanged, kernel turned round. */
  #turnedWeights(w: Value, depthwise: boolean): Value {
    const { g, block } = this
    const [outputs, inputs, ...kernel] = w.shape as number[]
    const size = kernel.reduce((a, b) => a * b, 1)
    const space = kernel.length === 1 ? [1, ...kernel] : kernel
    if (depthwise) {
      const turned = g.ints(Array.from({ length: size }, (_, i) => size - 1 - i))
      const ordered = transpose(g, reshape(g, w, [outputs / block, block, size]), [0, 2, 1])
      return reshape(g, size === 1 ? ordered : gather(g, ordered, turned, 1), [outputs, 1, ...space])
    }
    // Rows (o, i/B, k) of Bi.
    const rows = g.op('nchwc.ReorderInput', [reshape(g, w, [(outputs * inputs) / block, block, 1, size])])
    const order = turnedWeightOrder(g, outputs, inputs, size, block)
    return reshape(g, this.#gatherRows(rows, order), [inputs, outputs, ...space])
  }

  /** Rows of one block each in another order: Gather is threaded, where Transpose is not. */
  #gatherRows(blocked: Value, order: Value): Value {
    const { g, block } = this
    return gather(g, reshape(g, blocked, [order.shape[0], block]), order)
  }

  #convInput(node: GraphNode): boolean {
    const { block } = this
    const geometry = squared(node)
    const w = this.values.get(node.inputs[1])
    if (!w || !geometry) return false
    const [outputs, perGroup] = w.shape as number[]
    const depthwise = geometry.group > 1 && geometry.group === outputs && perGroup === 1
    if (geometry.group > 1 && !depthwise) return false
    if (outputs % block !== 0 || (!depthwise && perGroup % block !== 0)) return false
    const pads = geometry.pads.map((p, i) => (geometry.kernel[i % 2] - 1) * geometry.dilations[i % 2] - p)
    if (geometry.strides.some((s) => s !== 1) || pads.some((p) => p < 0)) return false
    const { flat } = this.#shapeOf(node.inputs[0])
    const dy = this.#toBlocked(node.inputs[0])
    if (dy === null) return false
    const attrs = { ...attrsOf({ ...geometry, pads }), group: geometry.group }
    const dx = this.g.op('nchwc.Conv', [dy, this.#turnedWeights(w, depthwise)], attrs)
    this.#setBlocked(node.outputs[0], dx, flat)
    return true
  }

  #convWeight(node: GraphNode): boolean {
    const geometry = squared(node)
    if (!geometry || geometry.group > 1) return false
    const [xName, dyName] = node.inputs
    const { info } = this.#shapeOf(xName)
    const channels = info.shape[1] as number
    const batch = info.shape[0]
    if (typeof batch !== 'number' || batch % this.block !== 0 || channels < this.block) return false
    const x = this.#toBlocked(xName)
    const dy = this.#toBlocked(dyName)
    if (x === null || dy === null) return false
    const dw = blockedWeightGradient(this.g, x, dy, geometry, this.block)
    const kernel = node.attrs.kernel_shape as number[]
    this.values.set(node.outputs[0], reshape(this.g, dw, [dw.shape[0], dw.shape[1], ...kernel]))
    return true
  }

  /** A depthwise convolution of size 1: one threaded pass instead of two. */
  #affine(node: GraphNode): boolean {
    const { g } = this
    if (!this.#blocked.has(node.inputs[0])) return false
    const { flat } = this.#shapeOf(node.inputs[0])
    const x = this.#toBlocked(node.inputs[0])!
    const channels = x.shape[1] as number
    const z = node.inputs[3] ? this.#toBlocked(node.inputs[3]) : null
    const scale = reshape(g, this.plain(node.inputs[1]), [channels, 1, 1, 1])
    const shift = this.plain(node.inputs[2])
    this.#finish(node, [x, scale, shift, z], { kernel_shape: [1, 1], group: channels }, flat)
    return true
  }

  #pool(node: GraphNode): boolean {
    if (!this.#blocked.has(node.inputs[0]) || node.outputs.length > 1) return false
    const geometry = squared(node)
    if (!geometry || node.attrs.auto_pad !== undefined) return false
    const { flat } = this.#shapeOf(node.inputs[0])
    const { ceil_mode, count_include_pad } = node.attrs as Record<string, number>
    const attrs = {
      ...attrsOf(geometry),
      ...(ceil_mode === undefined ? {} : { ceil_mode }),
      ...(count_include_pad === undefined ? {} : { count_include_pad }),
    }
    this.#setBlocked(node.outputs[0], this.g.op(`nchwc.${node.op}`, [this.#blocked.get(node.inputs[0])!], attrs), flat)
    return true
  }

  /**
   * dx = mask up(dy / ties), mask = clip(HUGE (x - t), 0, 1) with a threshold t just below the maximum: one fused pass. `up` repeats
   * every element over its window.
   */
  #maxPoolTiles(node: GraphNode): boolean {
    const { g } = this
    const [xName, yName, dyName] = node.inputs
    if (!this.#blocked.has(xName) && !this.#blocked.has(yName)) return false
    const given = node.attrs.kernel_shape as number[]
    const kernel = given.length === 1 ? [1, ...given] : given
    const [x, y, dy] = [xName, yName, dyName].map((name) => this.#toBlocked(name))
    if (!x || !y || !dy || kernel.some((k, i) => k * (y.shape[i + 2] as number) !== x.shape[i + 2])) return false
    const up = (v: Value) => g.op('nchwc.Upsample', [v], { scales: [1, 1, ...kernel], mode: 'nearest' })
    const channels = x.shape[1] as number
    const threshold = mul(g, belowOf(g, y), -HUGE)
    const scale = g.constant(hugeVector(channels), [channels, 1, 1, 1])
    const attrs = { kernel_shape: [1, 1], group: channels, ...MASK }
    const mask = g.op('nchwc.Conv', [x, scale, null, up(threshold)], attrs)
    const share = g.op('nchwc.AveragePool', [mask], { kernel_shape: kernel, strides: kernel })
    const ties = mul(g, share, kernel[0] * kernel[1])
    const { flat } = this.#shapeOf(xName)
    this.#setBlocked(node.outputs[0], mul(g, up(div(g, dy, ties)), mask), flat)
    return true
  }

  #globalPool(node: GraphNode): boolean {
    const x = this.#blocked.get(node.inputs[0])
    if (!x) return false
    const y = this.g.op(`nchwc.${node.op}`, [x])
    // With one place per channel both layouts are the same memory.
    const [n, channels] = x.shape
    const flat = this.#isFlat.has(node.inputs[0])
    this.values.set(node.outputs[0], flat ? reshape(this.g, y, [n, channels, 1]) : y)
    return true
  }

  /** dx = dy / ties where x is the maximum of its plane: two fused passes, one channel per plane. x, y = globalMaxPool(x), dy */
  #globalMaxPoolGradient(node: GraphNode): boolean {
    const { g } = this
    const [xName, yName, dyName] = node.inputs
    const x = this.#blocked.get(xName)
    if (!x || typeof x.shape[0] !== 'number') return false
    const [n, channels, h, w] = x.shape as number[]
    const planes = n * channels
    const vector = (name: string) => reshape(g, this.plain(name), [planes])
    const attrs = { kernel_shape: [1, 1], group: planes }
    const view = reshape(g, x, [1, planes, h, w])
    const huge = g.constant(hugeVector(planes), [planes, 1, 1, 1])
    const mask = g.op('nchwc.Conv', [view, huge, mul(g, belowOf(g, vector(yName)), -HUGE)], { ...attrs, ...MASK })
    const ties = mul(g, reshape(g, g.op('nchwc.GlobalAveragePool', [mask]), [planes]), h * w)
    const share = reshape(g, div(g, vector(dyName), ties), [planes, 1, 1, 1])
    const dx = reshape(g, g.op('nchwc.Conv', [mask, share], attrs), [n, channels, h, w])
    this.#setBlocked(node.outputs[0], dx, this.#isFlat.has(xName))
    return true
  }

  /** Between channels-last and blocked layout in one threaded pass. */
  #transpose(node: GraphNode): boolean {
    const { g } = this
    const perm = (node.attrs.perm as number[] | undefined)?.join()
    const x = this.#blocked.get(node.inputs[0])
    if (x) {
      const flat = this.#isFlat.has(node.inputs[0])
      if (perm !== (flat ? '0,2,1' : '0,2,3,1') || x.type !== 'float32') return false
      const [n, channels, h, w] = x.shape
      const last = g.op('nchwc.ReorderOutput', [x], { channels: channels as number, channels_last: 1 })
      this.values.set(
        node.outputs[0],
        flat ? reshape(g, last, [n, w, channels]) : reshape(g, last, [n, h, w, channels]),
      )
      return true
    }
    const plain = this.values.get(node.inputs[0])!
    const flat = perm === '0,2,1'
    if ((!flat && perm !== '0,3,1,2') || plain.type !== 'float32') return false
    const [n, ...space] = plain.shape
    const channels = space.pop() as number
    if (channels % this.block !== 0 || space.some((dim) => typeof dim !== 'number')) return false
    const readers = this.#consumers.get(node.outputs[0]) ?? []
    if (!readers.some((reader) => reader.op === 'Conv' && (reader.attrs.group ?? 1) === 1)) return false
    const square = flat ? reshape(g, plain, [n, 1, space[0], channels]) : plain
    this.#setBlocked(node.outputs[0], g.op('nchwc.ReorderInput', [square], { channels_last: 1 }), flat)
    return true
  }

  /** Factors of products that are read only by a sum over space. */
  readonly #products = new Map<string, [Value, Value]>()

  /** Leaves a product out if all that reads it is a sum over space, which then becomes a dot product per plane. */
  #product(node: GraphNode): boolean {
    const readers = this.#consumers.get(node.outputs[0]) ?? []
    if (readers.length !== 1 || !/^Reduce(Sum|Mean)$/.test(readers[0].op) || !this.#blocked.has(node.inputs[0]))
      return false
    const flat = this.#isFlat.has(node.inputs[0])
    if (this.#outputs.has(node.outputs[0]) || this.#reducedAxes(readers[0], flat) === null) return false
    const x = this.#blocked.get(node.inputs[0])!
    const other = this.#shapeOf(node.inputs[1])
    if (other.flat !== flat || typeof x.shape[0] !== 'number') return false
    const y = this.#toBlocked(node.inputs[1])
    if (y === null || formatShape(y.shape) !== formatShape(x.shape) || y.type !== 'float32') return false
    this.#products.set(node.outputs[0], [x, y])
    if (flat) this.#isFlat.add(node.outputs[0])
    return true
  }

  /** 'space' or 'all but channels'; null for other axes. */
  #reducedAxes(node: GraphNode, flat: boolean): 'space' | 'batch and space' | null {
    if (!node.inputs[1]) return null
    const rank = flat ? 3 : 4
    const axes = this.g
      .contentsOf(this.plain(node.inputs[1]))
      ?.map((axis) => (Number(axis) < 0 ? Number(axis) + rank : axis))
    const space = flat ? '2' : '2,3'
    const text = axes?.join()
    return text === space ? 'space' : text === `0,${space}` ? 'batch and space' : null
  }

  /** Means, sums and maxima over all space, or over all but the channels. */
  #reduce(node: GraphNode): boolean {
    const { g } = this
    const product = this.#products.get(node.inputs[0])
    const x = product?.[0] ?? this.#blocked.get(node.inputs[0])
    if (!x) return false
    const flat = this.#isFlat.has(node.inputs[0])
    const axes = this.#reducedAxes(node, flat)
    if (axes === null) return false
    const keep = (node.attrs.keepdims ?? 1) === 1
    const places = (x.shape[2] as number) * (x.shape[3] as number)
    const sum = node.op === 'ReduceSum'
    const max = node.op === 'ReduceMax'
    let y: Value
    if (product) {
      y = planeProducts(g, product)
      if (!sum) y = mul(g, y, 1 / places)
    } else {
      y = reshape(g, g.op(max ? 'nchwc.GlobalMaxPool' : 'nchwc.GlobalAveragePool', [x]), [x.shape[0], x.shape[1]])
      if (sum) y = mul(g, y, places)
    }
    const overBatch = axes === 'batch and space'
    if (overBatch) y = max ? reduceMax(g, y, [0], true) : (sum ? reduceSum : reduceMean)(g, y, [0], true)
    const ones = flat ? [1] : [1, 1]
    const lead = overBatch ? 1 : x.shape[0]
    if (keep) y = reshape(g, y, [lead, x.shape[1], ...ones])
    else if (overBatch) y = reshape(g, y, [x.shape[1]])
    this.values.set(node.outputs[0], y)
    return true
  }

  /** Along channels blocks are joined whole. */
  #concat(node: GraphNode): boolean {
    if (node.attrs.axis !== 1 || !node.inputs.some((name) => this.#blocked.has(name))) return false
    const parts = node.inputs.map((name) => this.#toBlocked(name))
    if (parts.some((part) => part === null)) return false
    const y = this.g.op('Concat', parts as Value[], { axis: 1 })
    this.#setBlocked(node.outputs[0], y, this.#isFlat.has(node.inputs[0]))
    return true
  }

  /** The sign of a ReLU's output is clip(HUGE y, 0, 1): one threaded pass, where Sign takes eight times as long. */
  #sign(node: GraphNode): boolean {
    const { g } = this
    const y = this.#blocked.get(node.inputs[0])
    if (!y || this.#producers.get(node.inputs[0])?.op !== 'Relu') return false
    const channels = y.shape[1] as number
    const scale = g.constant(hugeVector(channels), [channels, 1, 1, 1])
    const attrs = { kernel_shape: [1, 1], group: channels, ...MASK }
    this.#setBlocked(node.outputs[0], g.op('nchwc.Conv', [y, scale], attrs), this.#isFlat.has(node.inputs[0]))
    return true
  }

  /** All operands of one shape (or scalars), one of them blocked already; or one operand per channel beside it. */
  #pointwise(node: GraphNode): boolean {
    const { g } = this
    const first = node.inputs.find((name) => name !== '' && this.#blocked.has(name))
    if (first === undefined) return false
    const { shape } = this.#blocked.get(first)!
    const flat = this.#isFlat.has(first)
    const full = formatShape(shape)
    let perChannel = false
    const operands: { value: Value; vector: boolean }[] = []
    for (const name of node.inputs) {
      if (name === '') return false
      const { info } = this.#shapeOf(name)
      const size = info.shape.reduce<number>(
        (product, dim) => (typeof dim === 'number' ? product * dim : Number.NaN),
        1,
      )
      if (size === 1) {
        operands.push({ value: this.plain(name), vector: false })
        continue
      }
      const wide = info.shape.length === 3 ? [info.shape[0], info.shape[1], 1, info.shape[2]] : info.shape
      if (formatShape(wide) === full) {
        const value = this.#toBlocked(name)
        if (value === null) return false
        operands.push({ value, vector: false })
        continue
      }
      const [n, channels, h, w] = wide
      if (wide.length !== 4 || h !== 1 || w !== 1 || channels !== shape[1] || (n !== 1 && n !== shape[0])) return false
      perChannel = true
      operands.push({ value: this.plain(name), vector: true })
    }
    if (!perChannel) {
      this.#setBlocked(
        node.outputs[0],
        g.op(
          node.op,
          operands.map((o) => o.value),
          node.attrs,
        ),
        flat,
      )
      return true
    }
    const { block } = this
    const [n, channels, h, w] = shape as number[]
    const blocks = channels / block
    const inputs = operands.map(({ value, vector }) => {
      if (vector) return reshape(g, value, [value.shape[0], blocks, 1, block])
      return value.shape.length === 4 && formatShape(value.shape) === full
        ? reshape(g, value, [n, blocks, h * w, block])
        : value
    })
    this.#setBlocked(node.outputs[0], reshape(g, g.op(node.op, inputs, node.attrs), [n, channels, h, w]), flat)
    return true
  }
}

/** Just below every element of `y`, by more than HUGE can round away. */
function belowOf(g: GraphBuilder, y: Value): Value {
  return sub(g, y, add(g, mul(g, abs(g, y), 2 ** -22), 2 ** -70))
}

/**
 * Sums over space of x y, [n, c], for blocked x and y: a depthwise convolution of all n c planes of x by those of y, which reads each once
 * and writes no products.
 */
function planeProducts(g: GraphBuilder, [x, y]: [Value, Value]): Value {
  const [n, channels, h, w] = x.shape as number[]
  const planes = n * channels
  const attrs = { kernel_shape: [h, w], group: planes }
  const sums = g.op('nchwc.Conv', [reshape(g, x, [1, planes, h, w]), reshape(g, y, [planes, 1, h, w])], attrs)
  return reshape(g, sums, [n, channels])
}

const hugeVectors = new Map<number, Float32Array>()

/** One array per size, so that all uses share a constant. */
function hugeVector(size: number): Float32Array {
  const known = hugeVectors.get(size) ?? new Float32Array(size).fill(HUGE)
  hugeVectors.set(size, known)
  return known
}

/** The window of a node over two axes; a single axis becomes the second. Null for other ranks or unknown kernels. */
function squared({ attrs }: GraphNode): ConvGeometry | null {
  const kernel = attrs.kernel_shape as number[] | undefined
  if (kernel === undefined || kernel.length > 2) return null
  const ones = kernel.map(() => 1)
  const strides = (attrs.strides as number[]) ?? ones
  const dilations = (attrs.dilations as number[]) ?? ones
  const pads = (attrs.pads as number[]) ?? [...ones, ...ones].fill(0)
  const group = (attrs.group as number) ?? 1
  if (kernel.length === 2) return { kernel, strides, dilations, pads, group }
  return {
    kernel: [1, ...kernel],
    strides: [1, ...strides],
    dilations: [1, ...dilations],
    pads: [0, pads[0], 0, pads[1]],
    group,
  }
}

function attrsOf({ kernel, strides, dilations, pads }: ConvGeometry): Record<string, number[]> {
  return { kernel_shape: [...kernel], strides: [...strides], dilations: [...dilations], pads: [...pads] }
}
