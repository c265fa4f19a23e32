// Copies tensors to a device's memory and back. onnxruntime-node has no call for it (Tensor.getData ends the process with a native
// exception), so that copies are graphs of one Identity: fed from the host with its output on the device, and the reverse. One session
// per rank and direction, kept until the engine closes.
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Tensor } from '../engine.ts'
import { fromOrt, type Ort, toOrt } from './runtime.ts'
import { serializeOnnx } from './serialize.ts'

export interface Transfer {
  upload(tensor: Tensor): Promise<OrtTensor>
  download(tensor: OrtTensor): Promise<Tensor>
  release(): Promise<void>
}

/** Creates a session whose output stays where it is named. */
export type OpenSession = (bytes: Uint8Array, output: 'cpu' | 'gpu-buffer') => Promise<InferenceSession>

export function createTransfer(ort: Ort, openSession: OpenSession): Transfer {
  const sessions = new Map<string, Promise<InferenceSession>>()

  function sessionFor(rank: number, output: 'cpu' | 'gpu-buffer'): Promise<InferenceSession> {
    const key = `${output}:${rank}`
    let session = sessions.get(key)
    if (session === undefined) {
      session = openSession(identity(rank), output)
      sessions.set(key, session)
    }
    return session
  }

  return {
    async upload(tensor) {
      const session = await sessionFor(tensor.shape.length, 'gpu-buffer')
      return (await session.run({ x: toOrt(ort, tensor) })).y
    },
    async download(tensor) {
      const session = await sessionFor(tensor.dims.length, 'cpu')
      return fromOrt((await session.run({ x: tensor })).y)
    },
    async release() {
      for (const session of sessions.values()) await (await session).release()
      sessions.clear()
    },
  }
}

function identity(rank: number): Uint8Array {
  const g = new GraphBuilder()
  const x = g.input(
    'x',
    'float32',
    Array.from({ length: rank }, (_, i) => `d${i}`),
  )
  g.output('y', g.op('Identity', [x]))
  return serializeOnnx(g.build())
}
