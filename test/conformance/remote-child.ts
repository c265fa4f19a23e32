// The far side of remote.ts: does jobs on onnxruntime's WebGPU provider.
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { runJob } from './job.ts'
import type { RemoteAnswer, RemoteJob } from './remote.ts'

const engine = createOnnxEngine({ device: 'webgpu', threads: 1 })

process.on('message', async ({ id, job }: RemoteJob) => {
  let answer: RemoteAnswer
  try {
    answer = { id, result: await runJob(engine, job) }
  } catch (error) {
    answer = { id, error: (error as Error).message }
  }
  process.send!(answer)
})
