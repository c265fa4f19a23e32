// The onnxruntime-node package, loaded when the first graph is compiled: it takes 45 ms and 40 MB.
import type { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensor } from '../engine.ts'

export type Ort = typeof import('onnxruntime-node')
let runtime: Promise<Ort> | undefined

export function loadOrt(): Promise<Ort> {
  runtime ??= import('onnxruntime-node').then((module) => (module as unknown as { default?: Ort }).default ?? module)
  return runtime
}

/** Shares the array. */
export function toOrt(ort: Ort, { type, data, shape }: Tensor): OrtTensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, shape)
}

/** Shares the array; the tensor must be on the host. */
export function fromOrt({ type, dims, data }: OrtTensor): Tensor {
  return { type, shape: dims, data } as Tensor
}
