// Names a machine and all that decides how fast its devices are: a change of driver, package, Node.js or processor gives another key.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { CUDA_PROVIDER, onnxruntimeFolder } from './absence.ts'
import { gpuIdentity, stampOf } from './gpus.ts'

const PACKAGES = ['onnxruntime-node', '@tensorflow/tfjs', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu']

export function machineKey(): string {
  const require = createRequire(import.meta.url)
  const versions = PACKAGES.map((name) => {
    try {
      return `${name} ${require(`${name}/package.json`).version}`
    } catch {
      return name
    }
  })
  const folder = onnxruntimeFolder()
  const facts = [
    process.version,
    process.platform,
    process.arch,
    cpus()[0]?.model ?? '',
    String(availableParallelism()),
    ...versions,
    folder === null ? '' : stampOf(join(folder, CUDA_PROVIDER)),
    process.env.AUTOML_TFJS_BINDING ?? '',
    gpuIdentity(),
  ]
  return createHash('sha1').update(facts.join('\n')).digest('hex')
}
