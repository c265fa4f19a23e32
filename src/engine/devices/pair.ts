// What can compute: an engine on a device. Not every pair exists on every machine; `probe.ts` finds out.
export type EngineName = 'onnx' | 'tfjs'

export interface Pair {
  engine: EngineName
  /** As the engine names it. */
  device: string
}

/** Every pair that some machine has. Those of one engine start with the one that needs nothing but the processor. */
export const PAIRS: readonly Pair[] = [
  { engine: 'onnx', device: 'cpu' },
  { engine: 'onnx', device: 'webgpu' },
  { engine: 'onnx', device: 'cuda' },
  { engine: 'onnx', device: 'coreml' },
  { engine: 'onnx', device: 'dml' },
  { engine: 'tfjs', device: 'cpu' },
  { engine: 'tfjs', device: 'cuda' },
]

/** What runs without asking anything, and what computes all that is no network's training. */
export const DEFAULT_PAIR: Pair = PAIRS[0]

/** `onnx webgpu` */
export function pairName({ engine, device }: Pair): string {
  return `${engine} ${device}`
}

export function samePair(a: Pair, b: Pair): boolean {
  return a.engine === b.engine && a.device === b.device
}
