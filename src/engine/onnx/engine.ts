// Runs graphs with onnxruntime-node. Equal graphs share one session (counted, so that the last release frees it). The package is
// loaded when the first graph is compiled. Threads do not spin while idle: two processes on two cores would starve each other.
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { Graph, ValueInfo } from '../../graph/graph.ts'
import { lower, needsLowering } from '../../graph/lowering/lower.ts'
import { AutomlError } from '../../support/errors.ts'
import type { CompileOptions, Engine, Executable, Tensor } from '../engine.ts'
import { blockSize } from './block-size.ts'
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
    const release = async () => {
      if (!open.delete(executable)) return
      if (--held.users > 0) return
      if (shared.get(key) === held) shared.delete(key)
      await (await held.session).release()
    }
    let session: InferenceSession
    try {
      session = await held.session
    } catch (error) {
      shared.delete(key)
      throw error
    }
    const executable: Executable = { run: (feeds, into) => runSession(session, graph, feeds, into), release }
    open.add(executable)
    return executable
  }

  return {
    name: 'onnx',
    device,
    threads,
    compile,
    close: async () => {
      await Promise.all([...open].map((executable) => executable.release()))
    },
  }
}

/** Macro operators written out, convolutions with changing weights in blocked layout where this processor has it. */
async function lowered(graph: Graph, blocked: boolean): Promise<Graph> {
  if (!needsLowering(graph)) return graph
  return lower(graph, { block: blocked ? await blockSize() : 0 })
}

type Ort = typeof import('onnxruntime-node')
let runtime: Promise<Ort> | undefined

/** onnxruntime-node, loaded once. */
export function loadOrt(): Promise<Ort> {
  runtime ??= import('onnxruntime-node').then((module) => (module as unknown as { default?: Ort }).default ?? module)
  return runtime
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

async function runSession(
  session: InferenceSession,
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  into: Readonly<Record<string, Tensor>> = {},
): Promise<Record<string, Tensor>> {
  const ort = await loadOrt()
  const ortFeeds: Record<string, OrtTensor> = {}
  for (const input of graph.inputs) ortFeeds[input.name] = toOrt(ort, checkedFeed(input, feeds[input.name]))
  const fetches: Record<string, OrtTensor | null> = {}
  for (const { name } of graph.outputs) fetches[name] = into[name] ? toOrt(ort, into[name]) : null
  let results: Awaited<ReturnType<InferenceSession['run']>>
  try {
    results = await session.run(ortFeeds, fetches)
  } catch (cause) {
    throw engineError('onnxruntime cannot run the graph', cause)
  }
  const out: Record<string, Tensor> = {}
  for (const { name } of graph.outputs) {
    const { type, dims, data } = results[name] as OrtTensor
    out[name] = into[name] ?? ({ type, shape: dims, data } as Tensor)
  }
  return out
}

export function toOrt(ort: Ort, { type, data, shape }: Tensor): OrtTensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, shape)
}

function checkedFeed(input: ValueInfo, tensor: Tensor | undefined): Tensor {
  const expected = `${input.type}[${input.shape.join(', ')}]`
  if (tensor === undefined) throw new AutomlError('ENGINE', `input ${input.name} ${expected} is not fed`)
  const fits =
    tensor.type === input.type &&
    tensor.shape.length === input.shape.length &&
    input.shape.every((dim, i) => typeof dim === 'string' || dim === tensor.shape[i])
  if (fits) return tensor
  const received = `${tensor.type}[${tensor.shape.join(', ')}]`
  throw new AutomlError('ENGINE', `input ${input.name}: received ${received}; must be ${expected}`)
}

export function engineError(what: string, cause: unknown): AutomlError {
  const words = (cause as Error).message ?? String(cause)
  const memory = /bad[_ ]alloc|out of memory|failed to allocate/i.test(words)
  return new AutomlError(memory ? 'OUT_OF_MEMORY' : 'ENGINE', `${what}: ${words}`, undefined, undefined, cause)
}
