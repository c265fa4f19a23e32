// What the op table knows about one operator: how many inputs it takes, what its attributes are, and the types and shapes of
// its outputs. Inference checks everything that can be known when the graph is built; what symbolic sizes hide, the engine checks.
import { AutomlError } from '../../support/errors.ts'
import { broadcastShapes, type Dim, formatShape } from '../dims.ts'
import type { Attributes, DataType, ValueInfo } from '../graph.ts'

export type AttributeKind = 'int' | 'float' | 'string' | 'ints' | 'floats' | 'strings'

export interface Inferred {
  type: DataType
  shape: readonly Dim[]
}

export interface OpSpec {
  /** @default '' (ai.onnx) */
  domain?: '' | 'ai.onnx.ml' | 'com.microsoft' | 'com.microsoft.nchwc'
  /** Not an ONNX operator: `lowering/` replaces it. @default false */
  macro?: boolean
  /** Fewest and most inputs. */
  arity: readonly [number, number]
  attrs?: Readonly<Record<string, AttributeKind>>
  /** Most outputs. @default 1 */
  outputs?: number
  infer(node: OpCall): Inferred[]
}

export type OpTable = Readonly<Record<string, OpSpec>>

/** One use of an operator, as inference sees it. */
export class OpCall {
  constructor(
    readonly op: string,
    readonly inputs: readonly (ValueInfo | null)[],
    readonly attrs: Attributes,
    readonly outputCount: number,
    /** The integers in input `i` when they are known while building, symbolic sizes included. */
    readonly contents: (i: number) => readonly Dim[] | undefined,
  ) {}

  /** Input `i`, which must be there. */
  in(i: number): ValueInfo {
    return this.inputs[i] ?? this.fail(`input ${i} is missing`)
  }

  optional(i: number): ValueInfo | null {
    return this.inputs[i] ?? null
  }

  int(name: string, fallback: number): number {
    const value = this.attrs[name]
    return typeof value === 'number' ? value : fallback
  }

  text(name: string, fallback: string): string {
    const value = this.attrs[name]
    return typeof value === 'string' ? value : fallback
  }

  ints(name: string, fallback: readonly number[]): readonly number[] {
    const value = this.attrs[name]
    return typeof value === 'object' ? (value as readonly number[]) : fallback
  }

  /** Attribute `axis` counted from the front. */
  axis(rank: number, fallback: number, name = 'axis'): number {
    return this.checkAxis(this.int(name, fallback), rank)
  }

  checkAxis(axis: number, rank: number): number {
    const at = axis < 0 ? axis + rank : axis
    return Number.isInteger(at) && at >= 0 && at < rank ? at : this.fail(`axis ${axis} does not exist in rank ${rank}`)
  }

  /** Integer contents of input `i`, which must be known and numeric. */
  known(i: number, what: string): readonly number[] {
    const dims = this.contents(i)
    if (dims === undefined) return this.fail(`${what} must be known when the graph is built`)
    return dims.map((dim) => (typeof dim === 'number' ? dim : this.fail(`${what} must be a number, received ${dim}`)))
  }

  rankAtLeast(i: number, rank: number): readonly Dim[] {
    const { shape } = this.in(i)
    return shape.length >= rank ? shape : this.fail(`input ${i} must have at least ${rank} dimensions`)
  }

  broadcast(...indexes: number[]): Dim[] {
    return indexes.reduce<Dim[]>(
      (shape, i) => broadcastShapes(shape, this.in(i).shape) ?? this.fail('shapes do not broadcast'),
      [],
    )
  }

  sameType(...indexes: number[]): DataType {
    const first = this.in(indexes[0]).type
    for (const i of indexes) if (this.in(i).type !== first) this.fail(`inputs must have one type`)
    return first
  }

  typeIn(i: number, ...types: DataType[]): DataType {
    const { type } = this.in(i)
    return types.includes(type) ? type : this.fail(`input ${i} must be ${types.join(' or ')}`)
  }

  /** @throws GRAPH_SHAPE with op, input names, types and shapes */
  fail(rule: string): never {
    const inputs = this.inputs.map((v) => (v === null ? '-' : `${v.name} ${v.type}${formatShape(v.shape)}`)).join(', ')
    throw new AutomlError('GRAPH_SHAPE', `${this.op}(${inputs}): ${rule}`)
  }
}
