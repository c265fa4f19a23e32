// Residents as tfjs tensors: a step's next values take their places, and the old ones are disposed.
import { formatShape } from '../../graph/dims.ts'
import { AutomlError } from '../../support/errors.ts'
import type { Residents, Tensor, Tensors } from '../engine.ts'
import { type Cell, disposeCell } from './cell.ts'
import type { ExecutableHost } from './executable.ts'
import { cellOfTensor, tensorOfCell } from './host-tensors.ts'

export interface TfjsResidents extends Residents {
  /** @throws ENGINE for an unknown name */
  cell(name: string): Cell
  /** Puts `next` in place of a tensor, which is disposed. */
  replace(name: string, next: Cell): void
}

export function createResidents(
  tensors: Tensors,
  { runtime, traffic, activate }: Pick<ExecutableHost, 'runtime' | 'traffic' | 'activate'>,
  onRelease: () => void,
): TfjsResidents {
  const { tf } = runtime
  activate()
  const made = (tensor: Tensor): Cell => {
    traffic.upload(tensor.data.byteLength)
    return cellOfTensor(tf, tensor)
  }
  const held = new Map(Object.entries(tensors).map(([name, tensor]) => [name, made(tensor)]))

  function cellOf(name: string): Cell {
    const cell = held.get(name)
    if (cell === undefined) throw new AutomlError('ENGINE', `there is no resident ${name}`)
    return cell
  }

  function replace(name: string, next: Cell): void {
    disposeCell(cellOf(name))
    held.set(name, next)
  }

  return {
    names: Object.keys(tensors),
    cell: cellOf,
    replace,
    async read(names) {
      activate()
      const out: Record<string, Tensor> = {}
      for (const name of names) {
        out[name] = await tensorOfCell(tf, cellOf(name))
        traffic.download(out[name].data.byteLength)
      }
      return out
    },
    async write(given) {
      activate()
      for (const [name, tensor] of Object.entries(given)) {
        const { shape } = cellOf(name)
        if (formatShape(shape) !== formatShape(tensor.shape)) {
          const received = `received shape ${formatShape(tensor.shape)}; must be ${formatShape(shape)}`
          throw new AutomlError('ENGINE', `resident ${name}: ${received}`)
        }
        replace(name, made(tensor))
      }
    },
    async release() {
      for (const cell of held.values()) disposeCell(cell)
      held.clear()
      onRelease()
    },
  }
}
