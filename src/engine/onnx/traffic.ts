// What crosses between the host and a device, in bytes. A processor shares its memory with the host: there nothing crosses.
import type { Tensor as OrtTensor } from 'onnxruntime-node'

export interface Traffic {
  readonly uploadedBytes: number
  readonly downloadedBytes: number
  /** Counts what of these lies on the host and goes to the device. */
  up(tensors: Iterable<OrtTensor>): void
  /** Counts what of these came to the host. */
  down(tensors: Iterable<OrtTensor>): void
}

export function countTraffic(shared: boolean): Traffic {
  let uploadedBytes = 0
  let downloadedBytes = 0
  return {
    get uploadedBytes() {
      return uploadedBytes
    },
    get downloadedBytes() {
      return downloadedBytes
    },
    up(tensors) {
      if (!shared) uploadedBytes += hostBytes(tensors)
    },
    down(tensors) {
      if (!shared) downloadedBytes += hostBytes(tensors)
    },
  }
}

function hostBytes(tensors: Iterable<OrtTensor>): number {
  let bytes = 0
  for (const tensor of tensors) if (tensor.location === 'cpu') bytes += (tensor.data as Float32Array).byteLength
  return bytes
}
