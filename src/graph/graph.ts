// A tensor graph as plain data: typed values with static or symbolic shapes, nodes in execution order, constants. The operators
// are ONNX's (opset 21, ai.onnx.ml 3, and a few of onnxruntime's own); `ops/table.ts` lists them. Built by `builder.ts`, run by
// src/engine. A graph is never changed after it was built, so constants may be shared between graphs.
import type { Dim } from './dims.ts'

export type DataType = 'float32' | 'float64' | 'int8' | 'uint8' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'bool'

/** Elements in row-major order; bool is one byte per element. */
export type ConstantData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** Long lists (tree ensembles) may be typed arrays. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | Float32Array | Int32Array
export type Attributes = Readonly<Record<string, AttributeValue>>

export interface ValueInfo {
  readonly name: string
  readonly type: DataType
  readonly shape: readonly Dim[]
}

export interface GraphNode {
  /** Key of the op table: an ONNX name, or `nchwc.Conv` for onnxruntime's blocked operators. */
  readonly op: string
  /** Value names; '' is an absent optional input. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attrs: Attributes
}

export interface Initializer {
  readonly name: string
  readonly type: DataType
  readonly shape: readonly number[]
  readonly data: ConstantData
}

export interface Graph {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly nodes: readonly GraphNode[]
  readonly initializers: readonly Initializer[]
}
