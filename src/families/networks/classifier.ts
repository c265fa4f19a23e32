// A classifier's network as the trainer wants it: what a kind of data says of its network, plus the loss that the labels ask for.
import type { Value } from '../../graph/builder.ts'
import { cast, mul } from '../../graph/functions.ts'
import type { Network } from '../../graph/layers/network.ts'
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../../graph/losses.ts'
import type { NetworkDefinition } from '../../graph/training-step.ts'
import type { Link } from '../common/label-statistics.ts'

export interface ClassifierDefinition {
  /** Shape of one example's input. */
  inputShape: readonly number[]
  /** Pictures are fed as bytes and scaled to [0, 1] in the training graph; fronts give floats. */
  inputType: 'float32' | 'uint8'
  classCount: number
  link: Link
  /** x: float32 [n, ...inputShape] (bytes already in [0, 1]) -> logits [n, K]. Asks for layers in a fixed order. */
  forward(net: Network, x: Value): Value
}

export interface ClassifierLoss {
  labelSmoothing: number
  /** [K]; null: all 1 */
  classWeights: Float32Array | null
}

/** Input `x` [n, ...inputShape], target `targets` [n, K], output: logits [n, K]. */
export function classifier(
  definition: ClassifierDefinition,
  { labelSmoothing, classWeights }: ClassifierLoss,
): NetworkDefinition {
  const { inputShape, inputType, classCount, link } = definition
  const crossEntropy = link === 'softmax' ? softmaxCrossEntropy : sigmoidCrossEntropy
  return {
    inputs: { x: { type: inputType, shape: inputShape } },
    targets: { targets: { type: 'float32', shape: [classCount] } },
    forward: (net, { x }) => {
      return definition.forward(net, x.type === 'uint8' ? mul(net.g, cast(net.g, x, 'float32'), 1 / 255) : x)
    },
    loss: (g, logits, { targets }) =>
      crossEntropy(g, logits, targets, {
        labelSmoothing,
        classWeights: classWeights ? g.constant(classWeights, [classCount]) : null,
      }),
  }
}
