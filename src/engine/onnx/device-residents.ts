// Residents in a GPU's memory: onnxruntime tensors whose buffers the provider owns. A step gives new buffers for the next values; the
// old ones go back to the provider's pool, so that after the second step nothing is allocated.
import type { Tensor as OrtTensor } from 'onnxruntime-node'
import type { Tensor, Tensors } from '../engine.ts'
import { checkShape, holding, type OrtResidents } from './residents.ts'
import { type Ort, toOrt } from './runtime.ts'
import type { Traffic } from './traffic.ts'
import type { Transfer } from './transfer.ts'

export async function deviceResidents(
  ort: Ort,
  transfer: Transfer,
  traffic: Traffic,
  tensors: Tensors,
  onRelease: () => void,
): Promise<OrtResidents> {
  const held = new Map<string, OrtTensor>()
  const upload = (tensor: Tensor) => {
    traffic.up([toOrt(ort, tensor)])
    return transfer.upload(tensor)
  }
  for (const [name, tensor] of Object.entries(tensors)) held.set(name, await upload(tensor))
  const holder = holding(held)
  return {
    ...holder,
    async read(names) {
      const out: Record<string, Tensor> = {}
      for (const name of names) {
        out[name] = await transfer.download(holder.tensor(name))
        traffic.down([toOrt(ort, out[name])])
      }
      return out
    },
    async write(given) {
      for (const [name, tensor] of Object.entries(given)) {
        checkShape(name, tensor, holder.tensor(name).dims)
        holder.replace(name, await upload(tensor)).dispose()
      }
    },
    async release() {
      for (const tensor of held.values()) tensor.dispose()
      held.clear()
      onRelease()
    },
  }
}
