// What every engine offers: compile a graph once, run it many times. Engines own their device and its memory. What a training loop
// changes from step to step (weights, optimizer slots) stays where the engine computes: host arrays on a CPU, buffers on a GPU.
import type { Graph } from '../graph/graph.ts'

export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array
export type TensorType = 'float32' | 'int32' | 'int64' | 'uint8' | 'bool'

/** Row-major host tensor. */
export interface Tensor {
  type: TensorType
  shape: readonly number[]
  data: TensorData
}

export type Tensors = Readonly<Record<string, Tensor>>

export interface CompileOptions {
  /** Threads inside one operator. @default the engine's */
  threads?: number
  /** Outputs that are residents' next values: they stay on the device. `advance` takes its `next` from these. @default none */
  resident?: readonly string[]
}

/** Named float32 tensors kept where the engine computes. Owned by the caller: release them. */
export interface Residents {
  readonly names: readonly string[]
  /** Copies on the host. @throws ENGINE for an unknown name */
  read(names: readonly string[]): Promise<Record<string, Tensor>>
  /** Replaces the values of some; shapes stay. @throws ENGINE for an unknown name or another shape */
  write(tensors: Tensors): Promise<void>
  release(): Promise<void>
}

/** Graph inputs that are fed from residents: the resident's name by the input's. */
export interface ResidentFeeds {
  state: Residents
  names: Readonly<Record<string, string>>
}

export interface Advance {
  /** The batch, scalars, seed: all inputs that are no residents' names. */
  feeds: Tensors
  /** Residents that feed the inputs of their own names and get their next values. */
  state: Residents
  /** The output that holds a resident's next value, by the resident's name. Residents not named keep theirs. */
  next: Readonly<Record<string, string>>
  /** Sees the other outputs; false leaves the residents as they were. @default accept */
  accept?: (outputs: Tensors) => boolean
}

/** A compiled graph. Owned by the caller: release it. */
export interface Executable {
  /**
   * Outputs come to the host. `into`: preallocated output tensors, by output name; those are written in place and returned.
   * @throws ENGINE naming the graph and the engine's own words; OUT_OF_MEMORY
   */
  run(feeds: Tensors, into?: Tensors, residents?: ResidentFeeds): Promise<Record<string, Tensor>>
  /**
   * One step of a loop. Moves only `feeds` to the device and only the outputs that are no resident's next value back.
   * @returns those outputs; @throws as `run`, leaving the residents as they were
   */
  advance(step: Advance): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

/** What an engine has moved and holds since it was made. */
export interface EngineUsage {
  /** Host to device and back; 0 where they share memory. */
  uploadedBytes: number
  downloadedBytes: number
  /** Tensors that live on the device now, constants of executables aside. */
  tensors: number
  executables: number
}

export interface Engine {
  readonly name: 'onnx' | 'tfjs'
  readonly device: string
  readonly threads: number
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>
  /**
   * Copies tensors to where the engine computes. `adopt`: their arrays, no two the same, are the engine's from now on, which need not copy
   * them and may write to them. @default false
   */
  reside(tensors: Tensors, options?: { adopt?: boolean }): Promise<Residents>
  usage(): EngineUsage
  /** Ends every executable still open. */
  close(): Promise<void>
}
