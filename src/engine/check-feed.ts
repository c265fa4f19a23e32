// What every engine asks of a fed tensor: the input's type and shape, open dimensions aside.
import { formatShape } from '../graph/dims.ts'
import type { ValueInfo } from '../graph/graph.ts'
import { AutomlError } from '../support/errors.ts'
import type { Tensor } from './engine.ts'

/** @throws ENGINE naming the input, what was received and what is needed */
export function checkedFeed(input: ValueInfo, tensor: Tensor | undefined): Tensor {
  const expected = `${input.type}${formatShape(input.shape)}`
  if (tensor === undefined) throw new AutomlError('ENGINE', `input ${input.name} ${expected} is not fed`)
  const fits =
    tensor.type === input.type &&
    tensor.shape.length === input.shape.length &&
    input.shape.every((dim, i) => typeof dim === 'string' || dim === tensor.shape[i])
  if (fits) return tensor
  const received = `${tensor.type}${formatShape(tensor.shape)}`
  throw new AutomlError('ENGINE', `input ${input.name}: received ${received}; must be ${expected}`)
}
