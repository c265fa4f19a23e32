// Residents on a processor: host arrays behind onnxruntime tensors. A step writes next values into a second set of arrays that the
// executable owns; the two change places, so that a step allocates nothing.
import type { Tensor as OrtTensor } from 'onnxruntime-node'
import { formatShape } from '../../graph/dims.ts'
import { AutomlError } from '../../support/errors.ts'
import type { Residents, Tensor, Tensors } from '../engine.ts'
import { fromOrt, type Ort, toOrt } from './runtime.ts'

/** What executables need of residents, wherever these live. */
export interface OrtResidents extends Residents {
  /** @throws ENGINE for an unknown name */
  tensor(name: string): OrtTensor
  /** Puts `next` in place of a tensor. @returns the old one, which now belongs to the caller */
  replace(name: string, next: OrtTensor): OrtTensor
}

/** What is held, by name: the same wherever it lives. */
export function holding(held: Map<string, OrtTensor>): Pick<OrtResidents, 'names' | 'tensor' | 'replace'> {
  const tensor = (name: string): OrtTensor => {
    const found = held.get(name)
    if (found === undefined) throw new AutomlError('ENGINE', `there is no resident ${name}`)
    return found
  }
  return {
    names: [...held.keys()],
    tensor,
    replace(name, next) {
      const old = tensor(name)
      held.set(name, next)
      return old
    },
  }
}

/** Takes the arrays over. */
export function hostResidents(ort: Ort, tensors: Tensors, onRelease: () => void): OrtResidents {
  const held = new Map(Object.entries(tensors).map(([name, tensor]) => [name, toOrt(ort, tensor)]))
  const holder = holding(held)
  const tensorOf = holder.tensor
  return {
    ...holder,
    read: async (names) => Object.fromEntries(names.map((name) => [name, copyOf(fromOrt(tensorOf(name)))])),
    async write(given) {
      for (const [name, tensor] of Object.entries(given)) {
        const resident = tensorOf(name)
        checkShape(name, tensor, resident.dims)
        ;(resident.data as Float32Array).set(tensor.data as Float32Array)
      }
    },
    async release() {
      held.clear()
      onRelease()
    },
  }
}

/** @throws ENGINE */
export function checkShape(name: string, { shape }: Tensor, expected: readonly number[]): void {
  if (formatShape(shape) === formatShape(expected)) return
  throw new AutomlError(
    'ENGINE',
    `resident ${name}: received shape ${formatShape(shape)}; must be ${formatShape(expected)}`,
  )
}

export function copiesOf(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, copyOf(tensor)]))
}

function copyOf({ type, shape, data }: Tensor): Tensor {
  return { type, shape, data: data.slice() }
}
