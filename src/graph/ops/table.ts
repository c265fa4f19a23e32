// All operators a graph may use, under the names that `GraphBuilder.op` takes. Names are ONNX's; onnxruntime's blocked
// operators carry the prefix `nchwc.`, and this project's own `grad.` and `channel.`.
import { AutomlError } from '../../support/errors.ts'
import { convolutionOps } from './convolution.ts'
import { elementwiseOps } from './elementwise.ts'
import { layoutOps } from './layout.ts'
import { macroOps } from './macros.ts'
import { matmulOps } from './matmul.ts'
import { recurrentOps } from './recurrent.ts'
import { reductionOps } from './reduction.ts'
import type { OpSpec, OpTable } from './spec.ts'
import { treeOps } from './trees.ts'

export const opTable: OpTable = {
  ...elementwiseOps,
  ...reductionOps,
  ...layoutOps,
  ...matmulOps,
  ...convolutionOps,
  ...recurrentOps,
  ...treeOps,
  ...macroOps,
}

/** @throws GRAPH_OP naming the operator */
export function opSpec(op: string): OpSpec {
  const spec = Object.hasOwn(opTable, op) ? opTable[op] : undefined
  if (spec === undefined) throw new AutomlError('GRAPH_OP', `operator ${op} is not in the op table`)
  return spec
}
