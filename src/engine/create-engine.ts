// Makes an engine from its pair. Engines are loaded when they are asked for.
import { AutomlError } from '../support/errors.ts'
import { type Pair, pairName } from './devices/pair.ts'
import type { Engine } from './engine.ts'
import type { OnnxDevice } from './onnx/engine.ts'

export interface CreateOptions {
  /** Threads inside one operator. @default all cores */
  threads?: number
}

const NATIVE_HINTS: Readonly<Record<string, string>> = {
  cuda: 'the native library finds no NVIDIA device that it can use: see docs/tfjs.md for libraries of newer CUDA versions',
}

/** @throws ENGINE when it cannot be loaded or computes elsewhere than asked, with the hint that helps */
export async function createEngine(pair: Pair, options: CreateOptions = {}): Promise<Engine> {
  switch (pair.engine) {
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.ts')
      return createOnnxEngine({ ...options, device: pair.device as OnnxDevice })
    }
    case 'tfjs': {
      const { createTfjsEngine } = await import('./tfjs/engine.ts')
      const engine = await createTfjsEngine({ binding: pair.device === 'cuda' ? 'native' : 'auto' })
      if (engine.device === pair.device) return engine
      const message = `${pairName(pair)}: tfjs computes on ${engine.device} here`
      throw new AutomlError('ENGINE', message, undefined, NATIVE_HINTS[pair.device])
    }
    default:
      return pair.engine satisfies never
  }
}
