// The reference interpreter as an `Engine`, so that a trainer can run on it. Residents are float64 and stay so from step to step.
import type { Engine, Residents, Tensor, Tensors } from '../../../src/engine/engine.ts'
import type { DataType } from '../../../src/graph/graph.ts'
import { interpret, toReference } from './interpreter.ts'
import type { RefTensor } from './tensor.ts'

export function createReferenceEngine(): Engine {
  const stores = new WeakMap<Residents, Map<string, RefTensor>>()

  function reside(tensors: Tensors): Residents {
    const held = new Map(Object.entries(tensors).map(([name, t]) => [name, toReference(t)]))
    const state: Residents = {
      names: [...held.keys()],
      read: async (names) => Object.fromEntries(names.map((name) => [name, toHost(held.get(name)!)])),
      async write(given) {
        for (const [name, t] of Object.entries(given)) held.set(name, toReference(t))
      },
      async release() {
        held.clear()
      },
    }
    stores.set(state, held)
    return state
  }

  return {
    name: 'onnx',
    device: 'reference',
    threads: 1,
    compile: async (graph) => ({
      async run(feeds, _into, residents) {
        const all = references(feeds)
        const held = residents ? stores.get(residents.state)! : new Map<string, RefTensor>()
        for (const [name, resident] of Object.entries(residents?.names ?? {})) all[name] = held.get(resident)!
        return hostTensors(interpret(graph, all))
      },
      async advance({ feeds, state, next, accept }) {
        const held = stores.get(state)!
        const outputs = interpret(graph, { ...references(feeds), ...Object.fromEntries(held) })
        const moved = new Set(Object.values(next))
        const told = hostTensors(Object.fromEntries(Object.entries(outputs).filter(([name]) => !moved.has(name))))
        if (accept && !accept(told)) return told
        for (const [name, output] of Object.entries(next)) held.set(name, outputs[output])
        return told
      },
      async release() {},
    }),
    reside: async (tensors) => reside(tensors),
    usage: () => ({ uploadedBytes: 0, downloadedBytes: 0, tensors: 0, executables: 0 }),
    async close() {},
  }
}

const references = (tensors: Tensors): Record<string, RefTensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, toReference(t)]))

const hostTensors = (tensors: Record<string, RefTensor>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, toHost(t)]))

/** Values stay as exact as they can: a float32 result is handed over in a float64 array. */
function toHost({ type, shape, data }: RefTensor): Tensor {
  return { type: type as 'float32', shape, data: hostData(type, data) as Float32Array }
}

function hostData(type: DataType, data: Float64Array): unknown {
  switch (type) {
    case 'int64':
    case 'uint64':
      return BigInt64Array.from(data, BigInt)
    case 'int32':
      return Int32Array.from(data)
    case 'bool':
    case 'uint8':
      return Uint8Array.from(data)
    default:
      return data
  }
}
