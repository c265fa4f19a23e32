// The compute engines: each device that onnxruntime offers here, and whether a small product of matrices comes out right on it.
import { createOnnxEngine } from '../../engine/onnx/engine.ts'
import { loadOrt } from '../../engine/onnx/runtime.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Finding } from './finding.ts'

/** What a device that is not in the npm package needs. */
const HINTS: Record<string, string> = {
  cuda: 'npm explore onnxruntime-node -- npm run postinstall   (adds the CUDA libraries; needs CUDA 12 and cuDNN 9)',
}

export async function engineFindings(): Promise<Finding[]> {
  let version: string
  let backends: { name: string; bundled: boolean }[]
  try {
    const ort = await loadOrt()
    version = ort.env.versions.node ?? ort.env.versions.common
    backends = ort.listSupportedBackends().map(({ name, bundled }) => ({ name, bundled }))
  } catch (error) {
    const detail = (error as Error).message.split('\n')[0]
    return [{ area: 'engine', name: 'onnxruntime', status: 'broken', detail, hint: 'npm ci installs what is missing' }]
  }
  const findings: Finding[] = []
  for (const { name, bundled } of backends) {
    if (name === 'cpu') findings.push(await tryCpu(version))
    else if (bundled) {
      findings.push({
        area: 'engine',
        name: `onnx ${name}`,
        status: 'absent',
        detail: 'in the package, but not tried: runs do not use it yet',
      })
    } else {
      const hint = HINTS[name]
      findings.push({
        area: 'engine',
        name: `onnx ${name}`,
        status: 'absent',
        detail: 'its libraries are not in the npm package, and runs do not use it yet',
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }
  return findings
}

async function tryCpu(version: string): Promise<Finding> {
  const engine = createOnnxEngine()
  try {
    const g = new GraphBuilder()
    const x = g.input('x', 'float32', ['n', 2])
    g.output('y', g.op('MatMul', [x, g.constant(Float32Array.of(1, 2, 3, 4), [2, 2])]))
    const started = performance.now()
    const executable = await engine.compile(g.build())
    const { y } = await executable.run({ x: { type: 'float32', shape: [1, 2], data: Float32Array.of(1, 1) } })
    if (y.data[0] !== 4 || y.data[1] !== 6)
      throw new Error(`[1, 1] x [[1, 2], [3, 4]] came out as [${y.data.join(', ')}]`)
    const ms = Math.round(performance.now() - started)
    return {
      area: 'engine',
      name: 'onnx cpu',
      status: 'works',
      detail: `onnxruntime ${version}, ${engine.threads} threads, first graph in ${ms} ms`,
    }
  } catch (error) {
    return {
      area: 'engine',
      name: 'onnx cpu',
      status: 'broken',
      detail: (error as Error).message.split('\n')[0],
      hint: 'npm ci installs what is missing',
    }
  } finally {
    await engine.close()
  }
}
