// A session as an executable: checks what is fed, runs, and keeps a loop's next values from being copied or allocated anew: on the
// host they are written into a second set of arrays, on a device they stay in the buffers that the provider gives.
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { isStatic, sizeOf } from '../../graph/dims.ts'
import type { Graph, ValueInfo } from '../../graph/graph.ts'
import { checkedFeed } from '../check-feed.ts'
import type { Advance, Executable, ResidentFeeds, Tensor, Tensors } from '../engine.ts'
import { engineError } from './errors.ts'
import { isStop, STOP } from './in-place.ts'
import type { OrtResidents } from './residents.ts'
import { fromOrt, type Ort, toOrt } from './runtime.ts'
import type { Traffic } from './traffic.ts'

export interface ExecutableParts {
  ort: Ort
  session: InferenceSession
  graph: Graph
  traffic: Traffic
  /** Whether next values stay in the device's own memory. */
  onDevice: boolean
  /** Whether the session has the output that keeps preallocated ones from being copied. */
  stops: boolean
  release(): Promise<void>
}

export function createExecutable(parts: ExecutableParts): Executable {
  const { ort, session, graph, traffic, onDevice, stops, release } = parts
  /** Where next values are written before they change places with the residents, by resident. */
  const spare = new Map<string, OrtTensor>()

  async function call(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor | null>) {
    try {
      const results = await session.run(feeds, fetches)
      traffic.up(Object.values(feeds))
      traffic.down(Object.values(results))
      return results
    } catch (cause) {
      throw engineError('onnxruntime cannot run the graph', cause)
    }
  }

  /** `call` where every output is preallocated: nothing is copied. */
  async function callInPlace(feeds: Record<string, OrtTensor>, fetches: Record<string, OrtTensor>) {
    try {
      await session.run(feeds, { [STOP]: null, ...fetches })
    } catch (cause) {
      if (!isStop(cause)) throw engineError('onnxruntime cannot run the graph', cause)
    }
    traffic.up(Object.values(feeds))
    traffic.down(Object.values(fetches))
    return fetches
  }

  function spareFor(residents: OrtResidents, name: string): OrtTensor {
    const { dims } = residents.tensor(name)
    const tensor = spare.get(name) ?? new ort.Tensor('float32', new Float32Array(sizeOf(dims)), dims)
    spare.set(name, tensor)
    return tensor
  }

  function feedsOf(feeds: Tensors, residents?: ResidentFeeds): Record<string, OrtTensor> {
    const state = residents?.state as OrtResidents | undefined
    const out: Record<string, OrtTensor> = {}
    for (const input of graph.inputs) {
      const resident = residents?.names[input.name]
      out[input.name] =
        resident === undefined ? toOrt(ort, checkedFeed(input, feeds[input.name])) : state!.tensor(resident)
    }
    return out
  }

  return {
    async run(feeds, into = {}, residents) {
      const fetches: Record<string, OrtTensor | null> = {}
      for (const { name } of graph.outputs) fetches[name] = into[name] ? toOrt(ort, into[name]) : null
      const results = await call(feedsOf(feeds, residents), fetches)
      return Object.fromEntries(graph.outputs.map(({ name }) => [name, into[name] ?? fromOrt(results[name])]))
    },

    async advance({ feeds, state, next, accept }: Advance) {
      const residents = state as OrtResidents
      const own = Object.fromEntries(state.names.map((name) => [name, name]))
      const fetches: Record<string, OrtTensor | null> = {}
      for (const { name } of graph.outputs) fetches[name] = null
      if (!onDevice) for (const [name, output] of Object.entries(next)) fetches[output] = spareFor(residents, name)
      if (stops) for (const { name, type, shape } of graph.outputs) fetches[name] ??= allocate(ort, type, shape)
      const given = feedsOf(feeds, { state, names: own })
      const results = Object.values(fetches).includes(null)
        ? await call(given, fetches)
        : await callInPlace(given, fetches as Record<string, OrtTensor>)
      const kept = new Set(Object.values(next))
      const told: Record<string, Tensor> = {}
      for (const { name } of graph.outputs) if (!kept.has(name)) told[name] = fromOrt(results[name])
      let accepted = false
      try {
        accepted = accept?.(told) ?? true
      } finally {
        for (const [name, output] of Object.entries(next)) {
          const value = onDevice ? results[output] : spare.get(name)!
          const free = accepted ? residents.replace(name, value) : value
          if (onDevice) free.dispose()
          else spare.set(name, free)
        }
      }
      return told
    },

    release,
  }
}

/** An output's own tensor; null where its size is not known beforehand or its type not worth the trouble. */
function allocate(ort: Ort, type: string, shape: ValueInfo['shape']): OrtTensor | null {
  if (type !== 'float32' || !isStatic(shape)) return null
  return new ort.Tensor('float32', new Float32Array(sizeOf(shape)), shape)
}
