// Failures of TensorFlow.js as errors with a code, naming the operator, its inputs and their shapes.
import { formatShape } from '../../graph/dims.ts'
import type { GraphNode } from '../../graph/graph.ts'
import { AutomlError } from '../../support/errors.ts'
import type { Cell } from './cell.ts'

/** @param inputs what the operator received, null where an optional input is absent */
export function kernelError(node: GraphNode, inputs: readonly (Cell | null)[], cause: unknown): AutomlError {
  const words = (cause as Error).message ?? String(cause)
  const memory = /bad[_ ]alloc|out of memory|OOM|failed to allocate|Array buffer allocation/i.test(words)
  const received = inputs.map((cell, i) => (cell === null ? '-' : describeInput(node.inputs[i], cell))).join(', ')
  const text = `tfjs cannot run ${node.op}(${received}) -> ${node.outputs[0]}: ${words}`
  return new AutomlError(memory ? 'OUT_OF_MEMORY' : 'ENGINE', text, undefined, undefined, cause)
}

export function unsupportedOp(node: GraphNode, why?: string): AutomlError {
  const reason = why === undefined ? '' : `: ${why}`
  return new AutomlError('ENGINE', `tfjs: unsupported op ${node.op} (makes ${node.outputs[0]})${reason}`)
}

function describeInput(name: string, { type, shape }: Cell): string {
  return `${name} ${type}${formatShape(shape)}`
}
