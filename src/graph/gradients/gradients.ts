// Reverse-mode differentiation over a graph under construction (Griewank & Walther, Evaluating Derivatives, 2008, ch. 3): one sweep
// from the loss back through the nodes, one rule per operator, new nodes in the same builder. A graph may also declare the gradient
// of a group of nodes itself (`GraphBuilder.customGradient`). Second derivatives work where the rules' own operators have rules.
import { AutomlError } from '../../support/errors.ts'
import type { CustomGradient, GraphBuilder, Producer, Value } from '../builder.ts'
import { formatShape } from '../dims.ts'
import { add } from '../functions.ts'
import { convolutionGradients } from './convolution.ts'
import { elementwiseGradients } from './elementwise.ts'
import { indexingGradients } from './indexing.ts'
import { layoutGradients, zerosLike } from './layout.ts'
import { matmulGradients } from './matmul.ts'
import { normalizationGradients } from './normalization.ts'
import { poolingGradients } from './pooling.ts'
import { reductionGradients } from './reduction.ts'
import type { GradientRule, GradientTable } from './rule.ts'

export const gradientTable: GradientTable = {
  ...elementwiseGradients,
  ...reductionGradients,
  ...layoutGradients,
  ...indexingGradients,
  ...matmulGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...normalizationGradients,
}

/**
 * Gradients of the scalar `loss` with respect to each of `wrt`, with their shapes. Zero where the loss does not depend on it.
 * @throws GRAPH_OP for an operator that cannot be trained through
 */
export function gradients(g: GraphBuilder, loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) {
    throw new AutomlError('GRAPH_SHAPE', `gradients: the loss must be a scalar, received ${formatShape(loss.shape)}`)
  }
  return vectorJacobian(g, [loss], [g.scalar(1, loss.type)], wrt)
}

/** Gradients of sum(output_i * seed_i); `seeds` have the outputs' shapes. */
export function vectorJacobian(
  g: GraphBuilder,
  outputs: readonly Value[],
  seeds: readonly Value[],
  wrt: readonly Value[],
): Value[] {
  const producers = [...g.producers()]
  const moving = dependents(g, producers, wrt)
  const grads = new Map<string, Value>()
  const receive = (value: Value | null, grad: Value | null | undefined) => {
    if (!value || !grad || !moving.has(value.name)) return
    const sum = grads.get(value.name)
    grads.set(value.name, sum === undefined ? grad : add(g, sum, grad))
  }
  outputs.forEach((output, i) => {
    receive(output, seeds[i])
  })
  for (const producer of producers.reverse()) {
    const custom = customOf(g, producer)
    if (custom !== undefined) {
      const owed = custom.outputs.map((output) => grads.get(output.name) ?? null)
      if (!isFirstOutput(g, custom, producer) || owed.every((grad) => grad === null)) continue
      const back = custom.rule(owed, (i) => moving.has(custom.inputs[i].name))
      custom.inputs.forEach((value, i) => {
        receive(value, back[i])
      })
      continue
    }
    const owed = producer.outputs.map((output) => grads.get(output.name) ?? null)
    if (owed.every((grad) => grad === null)) continue
    const wants = (i: number) => producer.inputs[i] !== null && moving.has(producer.inputs[i]!.name)
    if (!producer.inputs.some((_, i) => wants(i))) continue
    const { node, inputs } = producer
    const back = ruleOf(node.op)({ g, node, inputs, outputs: producer.outputs, grads: owed, wants })
    inputs.forEach((value, i) => {
      receive(value, back[i])
    })
  }
  return wrt.map((value) => grads.get(value.name) ?? zerosLike(g, value))
}

function ruleOf(op: string): GradientRule {
  const rule = Object.hasOwn(gradientTable, op) ? gradientTable[op] : undefined
  if (rule === undefined) throw new AutomlError('GRAPH_OP', `operator ${op} has no gradient`)
  return rule
}

/** Names of all float values that change with any of `wrt`. */
function dependents(g: GraphBuilder, producers: readonly Producer[], wrt: readonly Value[]): Set<string> {
  const moving = new Set(wrt.map((value) => value.name))
  for (const producer of producers) {
    const custom = customOf(g, producer)
    const inputs = custom === undefined ? producer.inputs : custom.inputs
    if (!inputs.some((value) => value !== null && moving.has(value.name))) continue
    for (const output of producer.outputs) if (output.type.startsWith('float')) moving.add(output.name)
  }
  return moving
}

function customOf(g: GraphBuilder, producer: Producer): CustomGradient | undefined {
  for (const output of producer.outputs) {
    const custom = g.customGradientOf(output)
    if (custom !== undefined) return custom
  }
  return undefined
}

/** Going back, the first-made output comes last: by then all consumers of all outputs have spoken. */
function isFirstOutput(g: GraphBuilder, custom: CustomGradient, producer: Producer): boolean {
  return custom.outputs.every((output) => g.producer(output)!.index >= producer.index)
}
