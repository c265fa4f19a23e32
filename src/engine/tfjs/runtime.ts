// The TensorFlow.js packages. The native ones (libtensorflow on a processor or an NVIDIA device) are taken where their library is in
// place, else the JavaScript one. Loaded when an engine is asked for: 0.3 s, with the native library 0.6 s.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type * as Tfjs from '@tensorflow/tfjs'
import { AutomlError } from '../../support/errors.ts'

export type Tf = typeof Tfjs
export type TfTensor = Tfjs.Tensor

/** Which implementation: 'native' is libtensorflow, 'javascript' the package's own processor backend. */
export type Binding = 'native' | 'javascript'

export interface Runtime {
  tf: Tf
  binding: Binding
  /** Name that tfjs gives the backend. */
  backend: string
  device: 'cpu' | 'cuda'
}

const NATIVE_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const

/** Adds the package's own native library: TensorFlow 2.9, CUDA 11.2. docs/tfjs.md has the way to newer ones. */
export const INSTALL_COMMAND = 'npm explore @tensorflow/tfjs-node-gpu -- npm run install'

const require = createRequire(import.meta.url)
let native: Runtime | null = null
let javascript: Runtime | null = null

/** @throws ENGINE when 'native' is asked for and not there, with the command that adds it */
export async function loadRuntime(binding: Binding | 'auto' = 'auto'): Promise<Runtime> {
  if (binding === 'javascript') return loadJavascript()
  const folder = nativeFolder()
  if (folder !== null) {
    try {
      return loadNative(folder)
    } catch (cause) {
      if (binding === 'native') throw missing(`${folder} does not load: ${(cause as Error).message}`, cause)
      return loadJavascript()
    }
  }
  if (binding === 'native') throw missing('no package with a native library is installed')
  return loadJavascript()
}

/**
 * Folder of a package whose native library is in place; null where there is none. `AUTOML_TFJS_BINDING` names one outside the
 * usual place.
 */
export function nativeFolder(): string | null {
  const named = process.env.AUTOML_TFJS_BINDING
  if (named !== undefined && named !== '') return resolve(named)
  for (const name of NATIVE_PACKAGES) {
    const folder = packageFolder(name)
    if (folder !== null && hasLibrary(folder)) return folder
  }
  return null
}

function packageFolder(name: string): string | null {
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch {
    return null
  }
}

/** Loading a package without its library prints a page of advice, so the file is looked for first. */
function hasLibrary(folder: string): boolean {
  const lib = join(folder, 'lib')
  return existsSync(lib) && readdirSync(lib).some((sub) => existsSync(join(lib, sub, 'tfjs_binding.node')))
}

function loadNative(folder: string): Runtime {
  if (native !== null) return native
  // The library's own notices on stderr: errors only.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  const tf = require(folder) as Tf
  const backend = tf.backend() as unknown as { isUsingGpuDevice: boolean }
  prepare(tf)
  native = { tf, binding: 'native', backend: 'tensorflow', device: backend.isUsingGpuDevice ? 'cuda' : 'cpu' }
  return native
}

function loadJavascript(): Runtime {
  if (javascript !== null) return javascript
  const tf = require('@tensorflow/tfjs') as Tf
  prepare(tf)
  javascript = { tf, binding: 'javascript', backend: 'cpu', device: 'cpu' }
  return javascript
}

/** Without the checks and advertisements of development mode. */
function prepare(tf: Tf): void {
  tf.enableProdMode()
}

function missing(why: string, cause?: unknown): AutomlError {
  return new AutomlError('ENGINE', `tfjs: ${why}`, undefined, INSTALL_COMMAND, cause)
}
