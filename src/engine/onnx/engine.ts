// Runs graphs with onnxruntime-node. Equal graphs share one session (counted, so that the last release frees it). The package is
// loaded when the first graph is compiled. Threads do not spin while idle: two processes on two cores would starve each other.
// Where the state of a loop lives: on cpu and webgpu where they compute. onnxruntime-node can name buffers of WebGPU alone, so on cuda,
// coreml and dml the state lies on the host and crosses with every step, which `usage` counts.
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { InferenceSession } from 'onnxruntime-node'
import { isStatic, sizeOf } from '../../graph/dims.ts'
import type { Graph } from '../../graph/graph.ts'
import { lower, needsLowering } from '../../graph/lowering/lower.ts'
import { simplify } from '../../graph/simplify/simplify.ts'
import type { CompileOptions, Engine, Executable, Residents, Tensors } from '../engine.ts'
import { blockSize } from './block-size.ts'
import { deviceResidents } from './device-residents.ts'
import { engineError } from './errors.ts'
import { createExecutable } from './executable.ts'
import { STOP } from './in-place.ts'
import { copiesOf, hostResidents, type OrtResidents } from './residents.ts'
import { loadOrt } from './runtime.ts'
import { serializeOnnx } from './serialize.ts'
import { countTraffic } from './traffic.ts'
import { createTransfer, type Transfer } from './transfer.ts'
import { forWebgpu } from './webgpu-ops.ts'

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

/** Elements of all inputs. */
const SMALL = 2 ** 17

interface SharedSession {
  session: Promise<InferenceSession>
  users: number
}

export function createOnnxEngine(options: OnnxEngineOptions = {}): Engine {
  const threads = options.threads ?? availableParallelism()
  const device = options.device ?? 'cpu'
  const blocked = (options.blocked ?? true) && device === 'cpu'
  const shared = new Map<string, SharedSession>()
  const onDevice = device === 'webgpu'
  const traffic = countTraffic(device === 'cpu')
  let transfer: Transfer | null = null
  const open = new Set<Executable>()
  const residents = new Set<OrtResidents>()

  async function compile(graph: Graph, compileOptions: CompileOptions = {}): Promise<Executable> {
    const plain = await lowered(graph, blocked)
    const stops = device === 'cpu' && (compileOptions.resident ?? []).length > 0
    const bytes = serializeOnnx(onDevice ? forWebgpu(plain) : plain, stops ? { emptySequence: STOP } : {})
    const sessionThreads = compileOptions.threads ?? threads
    const stays = onDevice ? (compileOptions.resident ?? []) : []
    const key = `${sessionThreads}:${createHash('sha1').update(bytes).update(stays.join('\0')).digest('base64')}`
    let entry = shared.get(key)
    if (entry === undefined) {
      entry = {
        session: createSession(bytes, { device, threads: sessionThreads, stays, pattern: isSmall(graph) }),
        users: 0,
      }
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
    const ort = await loadOrt()
    const release = async () => {
      if (!open.delete(executable)) return
      if (--held.users > 0) return
      if (shared.get(key) === held) shared.delete(key)
      await session.release()
    }
    const executable = createExecutable({ ort, session, graph, traffic, onDevice, stops, release })
    open.add(executable)
    return executable
  }

  async function reside(tensors: Tensors, { adopt = false } = {}): Promise<Residents> {
    const ort = await loadOrt()
    const onRelease = () => residents.delete(state)
    let state: OrtResidents
    if (onDevice) {
      const session = (bytes: Uint8Array, output: 'cpu' | 'gpu-buffer') =>
        createSession(bytes, { device, threads, stays: output === 'cpu' ? [] : ['y'], pattern: true })
      transfer ??= createTransfer(ort, session)
      state = await deviceResidents(ort, transfer, traffic, tensors, onRelease)
    } else state = hostResidents(ort, adopt ? tensors : copiesOf(tensors), onRelease)
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
      uploadedBytes: traffic.uploadedBytes,
      downloadedBytes: traffic.downloadedBytes,
      tensors: [...residents].reduce((sum, state) => sum + state.names.length, 0),
      executables: open.size,
    }),
    close: async () => {
      // Buffers before the sessions whose pools they belong to.
      for (const owned of [...residents, ...open]) await owned.release()
      await transfer?.release()
    },
  }
}

/** Simplified, macro operators written out, convolutions with changing weights in blocked layout where this processor has it. */
async function lowered(given: Graph, blocked: boolean): Promise<Graph> {
  const graph = simplify(given)
  if (!needsLowering(graph)) return graph
  return lower(graph, { block: blocked ? await blockSize() : 0 })
}

/**
 * Whether a graph reads so little that one block for all tensors of a run is worth having. onnxruntime allocates it beside what the first
 * run took one by one: a third more memory for large networks, at no gain; a tenth of the step for thousands of tiny operators.
 */
function isSmall({ inputs }: Graph): boolean {
  return inputs.reduce((sum, { shape }) => sum + (isStatic(shape) ? sizeOf(shape) : SMALL), 0) < SMALL
}

interface SessionOptions {
  device: OnnxDevice
  threads: number
  /** Outputs that are left in the device's memory. */
  stays: readonly string[]
  /** Plan one block of memory for a whole run, on a processor. */
  pattern: boolean
}

async function createSession(
  bytes: Uint8Array,
  { device, threads, stays, pattern }: SessionOptions,
): Promise<InferenceSession> {
  try {
    const ort = await loadOrt()
    return await ort.InferenceSession.create(bytes, {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableMemPattern: device !== 'cpu' || pattern,
      // Errors are thrown; the log would only repeat them on stderr.
      logSeverityLevel: 4,
      ...(stays.length === 0
        ? {}
        : { preferredOutputLocation: Object.fromEntries(stays.map((name) => [name, 'gpu-buffer' as const])) }),
      extra: { session: { intra_op: { allow_spinning: '0' }, set_denormal_as_zero: '1' } },
    })
  } catch (cause) {
    throw engineError(`onnxruntime on ${device} cannot compile the graph`, cause)
  }
}
