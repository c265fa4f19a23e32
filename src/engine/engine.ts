// What every engine offers: compile a graph once, run it many times. Engines own their device and its memory.
import type { Graph } from '../graph/graph.ts'

export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array
export type TensorType = 'float32' | 'int32' | 'int64' | 'uint8' | 'bool'

/** Row-major host tensor. */
export interface Tensor {
  type: TensorType
  shape: readonly number[]
  data: TensorData
}

export interface CompileOptions {
  /** Threads inside one operator. @default the engine's */
  threads?: number
}

/** A compiled graph. Owned by the caller: release it. */
export interface Executable {
  /**
   * `into`: preallocated output tensors, by output name; those are written in place and returned.
   * @throws ENGINE naming the graph and the engine's own words; OUT_OF_MEMORY
   */
  run(feeds: Readonly<Record<string, Tensor>>, into?: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

export interface Engine {
  readonly name: 'onnx' | 'tfjs'
  readonly device: string
  readonly threads: number
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>
  /** Ends every executable still open. */
  close(): Promise<void>
}
