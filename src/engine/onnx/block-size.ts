// Finds out, once per process, in what blocks onnxruntime holds channels on this processor: 16 with AVX-512, 8 with AVX2, 0 where it has
// no blocked operators. A tiny graph reorders known numbers; their order tells.
import { GraphBuilder } from '../../graph/builder.ts'
import { loadOrt } from './runtime.ts'
import { serializeOnnx } from './serialize.ts'

let known: Promise<0 | 8 | 16> | undefined

export function blockSize(): Promise<0 | 8 | 16> {
  known ??= probe().catch(() => 0 as const)
  return known
}

async function probe(): Promise<0 | 8 | 16> {
  const g = new GraphBuilder()
  const x = g.input('x', 'float32', [1, 16, 1, 2])
  g.output('blocked', g.op('nchwc.ReorderInput', [x]))
  // Channel c at place p holds 2c + p.
  g.output('plain', g.op('nchwc.ReorderOutput', [g.op('nchwc.ReorderInput', [x])], { channels: 16 }))
  const ort = await loadOrt()
  const session = await ort.InferenceSession.create(serializeOnnx(g.build()), {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  })
  const numbers = Float32Array.from({ length: 32 }, (_, i) => i)
  const { blocked, plain } = await session.run({ x: new ort.Tensor('float32', numbers, [1, 16, 1, 2]) })
  await session.release()
  const intact = (plain.data as Float32Array).every((value, i) => value === i)
  // The element after one block of channels at place 0 is channel 0 at place 1.
  const size = (blocked.data as Float32Array).indexOf(1)
  return intact && (size === 8 || size === 16) ? size : 0
}
