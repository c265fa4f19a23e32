// Builds a graph node by node. Every call infers and checks types and shapes at once, so that a mistake is reported where it is
// made, with the operator, its input names and their shapes. Short forms (`add(g, a, b)`, `relu(g, x)`, ...) are in functions.ts.
//
//   const g = new GraphBuilder()
//   const x = g.input('x', 'float32', ['n', 10])
//   const y = g.op('MatMul', [x, g.constant(weights, [10, 3])])
//   g.output('scores', y)
//   const graph = g.build()
import { AutomlError } from '../support/errors.ts'
import { constantContents, foldContents } from './contents.ts'
import { type Dim, formatShape, sizeOf } from './dims.ts'
import type { Attributes, ConstantData, DataType, Graph, GraphNode, Initializer, ValueInfo } from './graph.ts'
import { OpCall } from './ops/spec.ts'
import { opSpec } from './ops/table.ts'

/** One tensor of a graph under construction. Belongs to the builder that made it. */
export interface Value extends ValueInfo {
  readonly builder: GraphBuilder
}

/** How a value came to be. */
export interface Producer {
  node: GraphNode
  inputs: readonly (Value | null)[]
  outputs: readonly Value[]
  /** Position among the nodes. */
  index: number
}

/** A known gradient of a group of nodes, used instead of the rules of its members. */
export interface CustomGradient {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** From output gradients (null: none) to input gradients. `wants(i)`: whether that of input `i` is needed. */
  readonly rule: (grads: readonly (Value | null)[], wants: (i: number) => boolean) => (Value | null)[]
}

export class GraphBuilder {
  readonly #inputs: Value[] = []
  readonly #outputs: { name: string; value: Value }[] = []
  readonly #producers: Producer[] = []
  readonly #initializers: Initializer[] = []
  readonly #names = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #producerOf = new Map<string, Producer>()
  readonly #constantOf = new Map<string, Initializer>()
  readonly #contents = new Map<string, readonly Dim[]>()
  readonly #scalars = new Map<string, Value>()
  readonly #custom = new Map<string, CustomGradient>()
  readonly #shared = new Map<ConstantData, Value[]>()

  /** Declares an input. A symbolic size ('n') may differ from run to run. */
  input(name: string, type: DataType, shape: readonly Dim[]): Value {
    const value = this.#value(this.#take(name), type, shape)
    this.#inputs.push(value)
    return value
  }

  /**
   * A constant tensor; not copied. `type` defaults to the array's own; say 'bool' for bytes that are truth values.
   * The same array with the same type and shape is one constant.
   */
  constant(data: ConstantData, shape: readonly number[], type: DataType = dataTypeOf(data), name?: string): Value {
    if (sizeOf(shape) !== data.length) {
      const received = `${data.length} elements for shape ${formatShape(shape)}`
      throw new AutomlError('GRAPH_SHAPE', `constant ${name ?? ''}: received ${received}`)
    }
    const twins = this.#shared.get(data) ?? []
    const twin = twins.find((v) => v.type === type && formatShape(v.shape) === formatShape(shape))
    if (twin) return twin
    const value = this.#value(name === undefined ? this.#fresh('const') : this.#unique(name), type, shape)
    const initializer = { name: value.name, type, shape, data }
    this.#initializers.push(initializer)
    this.#constantOf.set(value.name, initializer)
    const known = constantContents(data)
    if (known) this.#contents.set(value.name, known)
    this.#shared.set(data, [...twins, value])
    return value
  }

  /** A constant of rank 0. */
  scalar(value: number, type: DataType = 'float32'): Value {
    return this.#cached(`${type}:${Object.is(value, -0) ? '-0' : value}`, () =>
      this.constant(arrayOf(type, [value]), [], type),
    )
  }

  /** An int64 vector: axes, shapes, slice bounds. */
  ints(values: readonly number[]): Value {
    return this.#cached(`ints:${values.join()}`, () => this.constant(arrayOf('int64', values), [values.length]))
  }

  /** A float32 vector. */
  floats(values: readonly number[]): Value {
    return this.#cached(`floats:${values.join()}`, () => this.constant(Float32Array.from(values), [values.length]))
  }

  /** Applies an operator with one output. `inputs`: null is an absent optional input. */
  op(type: string, inputs: readonly (Value | null)[], attrs: Attributes = {}, name?: string): Value {
    return this.ops(type, inputs, attrs, 1, name)[0]
  }

  /** Applies an operator and returns its first `outputCount` outputs. */
  ops(type: string, inputs: readonly (Value | null)[], attrs: Attributes, outputCount: number, name?: string): Value[] {
    const spec = opSpec(type)
    for (const value of inputs) if (value && value.builder !== this) throw foreign(type, value)
    const [fewest, most] = spec.arity
    if (inputs.length < fewest || inputs.length > most) {
      throw new AutomlError('GRAPH_OP', `${type}: received ${inputs.length} inputs; takes ${fewest} to ${most}`)
    }
    for (const key of Object.keys(attrs)) {
      if (spec.attrs?.[key] === undefined) throw new AutomlError('GRAPH_OP', `${type}: no attribute ${key}`)
    }
    if (outputCount < 1 || outputCount > (spec.outputs ?? 1)) {
      throw new AutomlError('GRAPH_OP', `${type}: ${outputCount} outputs asked; gives at most ${spec.outputs ?? 1}`)
    }
    const contents = (i: number) => {
      const value = inputs[i]
      return value ? this.#contents.get(value.name) : undefined
    }
    const inferred = spec.infer(new OpCall(type, inputs, attrs, outputCount, contents)).slice(0, outputCount)
    const base = name ?? type.slice(type.lastIndexOf('.') + 1)
    const outputs = inferred.map((info) => this.#value(this.#fresh(base), info.type, info.shape))
    const node = { op: type, inputs: inputs.map((v) => v?.name ?? ''), outputs: outputs.map((v) => v.name), attrs }
    const producer = { node, inputs, outputs, index: this.#producers.length }
    this.#producers.push(producer)
    for (const output of outputs) this.#producerOf.set(output.name, producer)
    const known = foldContents(type, inputs, attrs, contents)
    if (known) this.#contents.set(outputs[0].name, known)
    return outputs
  }

  /** Names `value` as an output of the graph. */
  output(name: string, value: Value): void {
    if (value.builder !== this) throw foreign(`output ${name}`, value)
    if (this.#outputs.some((o) => o.name === name)) {
      throw new AutomlError('GRAPH_OP', `output ${name} is declared twice`)
    }
    this.#outputs.push({ name, value })
  }

  /** The same tensor under another, refined shape: for callers who know more than inference. */
  refine(value: Value, shape: readonly Dim[]): Value {
    return this.#value(value.name, value.type, shape)
  }

  /**
   * Copies `graph` into this builder with its inputs replaced by `feeds` (by input name), and returns its outputs by name.
   * Constants are shared. Shapes are inferred anew from the feeds.
   */
  inline(graph: Graph, feeds: Readonly<Record<string, Value>>): Record<string, Value> {
    const values = new Map<string, Value>()
    for (const input of graph.inputs) {
      const feed = feeds[input.name]
      if (feed === undefined) throw new AutomlError('GRAPH_OP', `inline: input ${input.name} is not fed`)
      if (feed.type !== input.type || feed.shape.length !== input.shape.length) {
        const received = `${feed.type}${formatShape(feed.shape)} for ${input.type}${formatShape(input.shape)}`
        throw new AutomlError('GRAPH_SHAPE', `inline: input ${input.name}: received ${received}`)
      }
      values.set(input.name, feed)
    }
    for (const c of graph.initializers) values.set(c.name, this.constant(c.data, c.shape, c.type, c.name))
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((name) => (name === '' ? null : values.get(name)!))
      const outputs = this.ops(node.op, inputs, node.attrs, node.outputs.length)
      node.outputs.forEach((name, i) => {
        values.set(name, outputs[i])
      })
    }
    return Object.fromEntries(graph.outputs.map((output) => [output.name, values.get(output.name)!]))
  }

  /**
   * Declares how gradients pass from `outputs` back to `inputs`; whatever lies between is skipped. Every input must have been
   * made before the first output.
   */
  customGradient(custom: CustomGradient): void {
    for (const output of custom.outputs) this.#custom.set(output.name, custom)
  }

  customGradientOf(value: Value): CustomGradient | undefined {
    return this.#custom.get(value.name)
  }

  producer(value: Value): Producer | undefined {
    return this.#producerOf.get(value.name)
  }

  /** The constant behind a value, if it is one. */
  constantOf(value: Value): Initializer | undefined {
    return this.#constantOf.get(value.name)
  }

  /** Integers a value is known to hold (symbolic sizes included). */
  contentsOf(value: Value): readonly Dim[] | undefined {
    return this.#contents.get(value.name)
  }

  producers(): readonly Producer[] {
    return this.#producers
  }

  /** Finishes the graph: only what the outputs need is kept, and outputs carry the names they were given. */
  build(): Graph {
    if (this.#outputs.length === 0) throw new AutomlError('GRAPH_OP', 'the graph has no output')
    const needed = this.#neededNodes()
    const rename = new Map<string, string>()
    const copies: GraphNode[] = []
    for (const { name, value } of this.#outputs) {
      const free = !rename.has(value.name) && this.#producerOf.has(value.name)
      if (free && (name === value.name || !this.#names.has(name))) rename.set(value.name, name)
      else if (free && !this.#inputs.some((input) => input.name === name)) {
        rename.set(name, this.#fresh(name))
        rename.set(value.name, name)
      } else copies.push({ op: 'Identity', inputs: [value.name], outputs: [name], attrs: {} })
    }
    const renamed = (name: string) => rename.get(name) ?? name
    const nodes: GraphNode[] = needed.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    }))
    for (const copy of copies) nodes.push({ ...copy, inputs: copy.inputs.map(renamed) })
    const used = new Set(nodes.flatMap((node) => node.inputs))
    return {
      inputs: this.#inputs.map(({ name, type, shape }) => ({ name, type, shape })),
      outputs: this.#outputs.map(({ name, value }) => ({ name, type: value.type, shape: value.shape })),
      nodes,
      initializers: this.#initializers.map((c) => ({ ...c, name: renamed(c.name) })).filter((c) => used.has(c.name)),
    }
  }

  #neededNodes(): GraphNode[] {
    const wanted = new Set(this.#outputs.map(({ value }) => value.name))
    const needed: GraphNode[] = []
    for (let i = this.#producers.length - 1; i >= 0; i--) {
      const { node } = this.#producers[i]
      if (!node.outputs.some((name) => wanted.has(name))) continue
      for (const name of node.inputs) wanted.add(name)
      needed.push(node)
    }
    return needed.reverse()
  }

  #value(name: string, type: DataType, shape: readonly Dim[]): Value {
    const value: Value = { name, type, shape } as Value
    // Not enumerable, so that printing a value does not print the whole graph.
    Object.defineProperty(value, 'builder', { value: this, enumerable: false })
    return value
  }

  #take(name: string): string {
    if (this.#names.has(name)) throw new AutomlError('GRAPH_OP', `the name ${name} is used twice`)
    this.#names.add(name)
    return name
  }

  #unique(name: string): string {
    return this.#names.has(name) ? this.#fresh(name) : this.#take(name)
  }

  #fresh(base: string): string {
    for (;;) {
      const count = (this.#counts.get(base) ?? 0) + 1
      this.#counts.set(base, count)
      const name = `${base}_${count}`
      if (!this.#names.has(name)) return this.#take(name)
    }
  }

  #cached(key: string, make: () => Value): Value {
    const known = this.#scalars.get(key)
    if (known) return known
    const value = make()
    this.#scalars.set(key, value)
    return value
  }
}

export function dataTypeOf(data: ConstantData): DataType {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof BigInt64Array) return 'int64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint8Array) return 'uint8'
  if (data instanceof Uint32Array) return 'uint32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int8Array) return 'int8'
  return 'uint64'
}

export function arrayOf(type: DataType, values: readonly number[]): ConstantData {
  switch (type) {
    case 'float32':
      return Float32Array.from(values)
    case 'float64':
      return Float64Array.from(values)
    case 'int8':
      return Int8Array.from(values)
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values)
    case 'int32':
      return Int32Array.from(values)
    case 'uint32':
      return Uint32Array.from(values)
    case 'int64':
      return BigInt64Array.from(values, BigInt)
    case 'uint64':
      return BigUint64Array.from(values, BigInt)
    default:
      return type satisfies never
  }
}

function foreign(where: string, value: Value): AutomlError {
  return new AutomlError('GRAPH_OP', `${where}: ${value.name} belongs to another graph`)
}
