// Runs graphs op by op with TensorFlow.js: libtensorflow's kernels on a processor or an NVIDIA device where the native package is in
// place, the JavaScript ones otherwise. An independent implementation beside onnxruntime, and the way to CUDA that the native package
// brings. Every operator of the op table but onnxruntime's blocked ones.
import { availableParallelism } from 'node:os'
import type { Graph } from '../../graph/graph.ts'
import { simplify } from '../../graph/simplify/simplify.ts'
import type { CompileOptions, Engine, Executable } from '../engine.ts'
import { createExecutable, type ExecutableHost } from './executable.ts'
import { createResidents, type TfjsResidents } from './residents.ts'
import { type Binding, loadRuntime } from './runtime.ts'
import { countTraffic } from './traffic.ts'

export interface TfjsEngineOptions {
  /** 'native': libtensorflow; 'javascript': the package's own processor backend. @default 'auto': native where it loads */
  binding?: Binding | 'auto'
}

/** @throws ENGINE when the native binding is asked for and not installed, with the command that adds it */
export async function createTfjsEngine(options: TfjsEngineOptions = {}): Promise<Engine> {
  const runtime = await loadRuntime(options.binding)
  const { tf, backend, device } = runtime
  const traffic = countTraffic(device)
  const open = new Set<Executable>()
  const states = new Set<TfjsResidents>()
  // One process may hold engines on several backends; tfjs has one current one. Those registered switch at once.
  const activate = () => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend)
  }
  await tf.setBackend(backend)
  const host: ExecutableHost = { runtime, traffic, activate, onRelease: (executable) => open.delete(executable) }

  return {
    name: 'tfjs',
    device,
    // libtensorflow takes all cores; the JavaScript backend has one thread.
    threads: runtime.binding === 'native' ? availableParallelism() : 1,
    async compile(graph: Graph, _options: CompileOptions = {}) {
      const executable = createExecutable(simplify(graph), host)
      open.add(executable)
      return executable
    },
    async reside(tensors) {
      const state = createResidents(tensors, host, () => states.delete(state))
      states.add(state)
      return state
    },
    usage: () => ({
      uploadedBytes: traffic.uploaded,
      downloadedBytes: traffic.downloaded,
      tensors: [...states].reduce((sum, state) => sum + state.names.length, 0),
      executables: open.size,
    }),
    async close() {
      await Promise.all([...open, ...states].map((owned) => owned.release()))
    },
  }
}
