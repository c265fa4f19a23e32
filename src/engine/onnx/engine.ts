// Runs graphs with onnxruntime-node. Equal graphs share one session (counted, so that the last release frees it). The package is
// loaded when the first graph is compiled. Threads do not spin while idle: two processes on two cores would starve each other.
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { InferenceSession } from 'onnxruntime-node'
import type { Graph } from '../../graph/graph.ts'
import { lower, needsLowering } from '../../graph/lowering/lower.ts'
import type { CompileOptions, Engine, Executable, Residents, Tensors } from '../engine.ts'
import { blockSize } from './block-size.ts'
import { engineError } from './errors.ts'
import { createExecutable } from './executable.ts'
import { hostResidents, type OrtResidents } from './residents.ts'
import { loadOrt } from './runtime.ts'
import { serializeOnnx } from './serialize.ts'

export interface OnnxEngineOptions {
  /** Threads inside one operator. @default all cores */
  threads?: number
  /** @default 'cpu' */
  device?: OnnxDevice
  /** Use the processor's blocked layout for convolutions with changing weights where it has one. @default true */
  blocked?: boolean
}

/** Execution providers of onnxruntime-node. */
export type OnnxDevice = 'cpu' | 'webgpu' | 'cuda' | 'coreml' | 'dml'

interface SharedSession {
  session: Promise<InferenceSession>
  users: number
}

export function createOnnxEngine(options: OnnxEngineOptions = {}): Engine {
  const threads = options.threads ?? availableParallelism()
  const device = options.device ?? 'cpu'
  const blocked = (options.blocked ?? true) && device === 'cpu'
  const shared = new Map<string, SharedSession>()
  const open = new Set<Executable>()
  const residents = new Set<OrtResidents>()

  async function compile(graph: Graph, compileOptions: CompileOptions = {}): Promise<Executable> {
    const bytes = serializeOnnx(await lowered(graph, blocked))
    const sessionThreads = compileOptions.threads ?? threads
    const key = `${sessionThreads}:${createHash('sha1').update(bytes).digest('base64')}`
    let entry = shared.get(key)
    if (entry === undefined) {
      entry = { session: createSession(bytes, device, sessionThreads), users: 0 }
      shared.set(key, entry)
    }
    const held = entry
    held.users++
    let session: InferenceSession
    try {
      session = await held.session
    } catch (error) {
      shared.delete(key)
      throw error
    }
    const executable = createExecutable(await loadOrt(), session, graph, async () => {
      if (!open.delete(executable)) return
      if (--held.users > 0) return
      if (shared.get(key) === held) shared.delete(key)
      await (await held.session).release()
    })
    open.add(executable)
    return executable
  }

  async function reside(tensors: Tensors): Promise<Residents> {
    const state = hostResidents(await loadOrt(), tensors, () => residents.delete(state))
    residents.add(state)
    return state
  }

  return {
    name: 'onnx',
    device,
    threads,
    compile,
    reside,
    usage: () => ({
      uploadedBytes: 0,
      downloadedBytes: 0,
      tensors: [...residents].reduce((sum, state) => sum + state.names.length, 0),
      executables: open.size,
    }),
    close: async () => {
      await Promise.all([...open, ...residents].map((owned) => owned.release()))
    },
  }
}

/** Macro operators written out, convolutions with changing weights in blocked layout where this processor has it. */
async function lowered(graph: Graph, blocked: boolean): Promise<Graph> {
  if (!needsLowering(graph)) return graph
  return lower(graph, { block: blocked ? await blockSize() : 0 })
}

async function createSession(bytes: Uint8Array, device: OnnxDevice, threads: number): Promise<InferenceSession> {
  try {
    const ort = await loadOrt()
    return await ort.InferenceSession.create(bytes, {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' }, set_denormal_as_zero: '1' } },
    })
  } catch (cause) {
    throw engineError(`onnxruntime on ${device} cannot compile the graph`, cause)
  }
}
