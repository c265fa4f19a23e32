// An engine that is made when it is first asked to do something: the first model of a run needs no network, and loading a driver or a
// second engine takes its time.
import { createEngine } from './create-engine.ts'
import type { Pair } from './devices/pair.ts'
import type { Engine, EngineUsage } from './engine.ts'

const NOTHING_YET: EngineUsage = { uploadedBytes: 0, downloadedBytes: 0, tensors: 0, executables: 0 }

/** @param threads what the engine will have inside one operator */
export function createLazyEngine(pair: Pair, threads: number, create = createEngine): Engine {
  let made: Promise<Engine> | null = null
  let engine: Engine | null = null
  const get = (): Promise<Engine> => {
    made ??= create(pair, { threads }).then((ready) => {
      engine = ready
      return ready
    })
    return made
  }
  return {
    name: pair.engine,
    device: pair.device,
    get threads() {
      return engine?.threads ?? threads
    },
    compile: async (graph, options) => (await get()).compile(graph, options),
    reside: async (tensors, options) => (await get()).reside(tensors, options),
    usage: () => engine?.usage() ?? NOTHING_YET,
    async close() {
      if (made !== null) await (await made).close()
    },
  }
}
