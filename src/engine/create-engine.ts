// Makes an engine from its pair. Engines are loaded when they are asked for.
import { AutomlError } from '../support/errors.ts'
import { type Pair, pairName } from './devices/pair.ts'
import type { Engine } from './engine.ts'
import type { OnnxDevice } from './onnx/engine.ts'

export interface CreateOptions {
  /** Threads inside one operator. @default all cores */
  threads?: number
}

/** @throws ENGINE when it cannot be loaded or computes elsewhere than asked, with the hint that helps */
export async function createEngine(pair: Pair, options: CreateOptions = {}): Promise<Engine> {
  switch (pair.engine) {
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.ts')
      return createOnnxEngine({ ...options, device: pair.device as OnnxDevice })
    }
    case 'tfjs':
      throw new AutomlError('ENGINE', `${pairName(pair)} is not in this build`)
    default:
      return pair.engine satisfies never
  }
}
