// A planned graph as an executable: runs the steps in order, disposes every value after its last reader, and hands next values to the
// residents. Computing blocks the event loop until the last step is done; only reading results back waits.
import type { Graph } from '../../graph/graph.ts'
import { AutomlError } from '../../support/errors.ts'
import { checkedFeed } from '../check-feed.ts'
import type { Advance, Executable, ResidentFeeds, Tensor, Tensors } from '../engine.ts'
import { type Cell, disposeCell, fromLast } from './cell.ts'
import { kernelError } from './errors.ts'
import { cellOfConstant, cellOfTensor, tensorOfCell } from './host-tensors.ts'
import { Call, type Made } from './kernel.ts'
import { type PlanStep, planOf } from './plan.ts'
import type { TfjsResidents } from './residents.ts'
import type { Runtime, TfTensor } from './runtime.ts'
import type { Traffic } from './traffic.ts'

export interface ExecutableHost {
  runtime: Runtime
  traffic: Traffic
  /** Makes this engine's backend the current one. */
  activate(): void
  onRelease(executable: Executable): void
}

export function createExecutable(graph: Graph, host: ExecutableHost): Executable {
  const { runtime, traffic } = host
  const { tf } = runtime
  const plan = planOf(graph)
  host.activate()
  const constants = new Map(plan.constants.map((c) => [c.name, cellOfConstant(tf, c)]))
  let released = false

  /** Computes the outputs. `borrowed` cells belong to residents; all others that come in are disposed. */
  function compute(feeds: Tensors, residents: ResidentFeeds | undefined): Map<string, Cell> {
    if (released) throw new AutomlError('ENGINE', 'tfjs: the executable is released')
    host.activate()
    const state = residents?.state as TfjsResidents | undefined
    const cells = new Map<string, Cell>(constants)
    const own: Cell[] = []
    try {
      for (const input of graph.inputs) {
        const resident = residents?.names[input.name]
        if (resident !== undefined) cells.set(input.name, state!.cell(resident))
        else {
          const tensor = checkedFeed(input, feeds[input.name])
          const cell = cellOfTensor(tf, tensor)
          traffic.upload(tensor.data.byteLength)
          own.push(cell)
          cells.set(input.name, cell)
        }
      }
      for (const step of plan.steps) runStep(runtime, step, cells)
      return new Map(graph.outputs.map(({ name }) => [name, cells.get(name)!]))
    } catch (error) {
      const outside = new Set([...constants.values(), ...graph.inputs.map(({ name }) => cells.get(name))])
      for (const cell of cells.values()) if (!outside.has(cell)) disposeCell(cell)
      throw error
    } finally {
      for (const cell of own) disposeCell(cell)
    }
  }

  async function told(cell: Cell, into?: Tensor): Promise<Tensor> {
    const tensor = await tensorOfCell(tf, cell, into)
    traffic.download(tensor.data.byteLength)
    return tensor
  }

  const executable: Executable = {
    async run(feeds, into = {}, residents) {
      const outputs = compute(feeds, residents)
      try {
        const results: Record<string, Tensor> = {}
        for (const [name, cell] of outputs) results[name] = await told(cell, into[name])
        return results
      } finally {
        for (const cell of outputs.values()) disposeCell(cell)
      }
    },

    async advance({ feeds, state, next, accept }: Advance) {
      const residents = state as TfjsResidents
      const names = Object.fromEntries(state.names.map((name) => [name, name]))
      const outputs = compute(feeds, { state, names })
      const kept = new Set(Object.values(next))
      try {
        const results: Record<string, Tensor> = {}
        for (const [name, cell] of outputs) if (!kept.has(name)) results[name] = await told(cell)
        if (accept?.(results) ?? true) {
          for (const [name, output] of Object.entries(next)) {
            residents.replace(name, outputs.get(output)!)
            outputs.delete(output)
          }
        }
        return results
      } finally {
        for (const cell of outputs.values()) disposeCell(cell)
      }
    },

    async release() {
      if (released) return
      released = true
      for (const cell of constants.values()) disposeCell(cell)
      host.onRelease(executable)
    },
  }
  return executable
}

function runStep(runtime: Runtime, { node, kernel, types, done }: PlanStep, cells: Map<string, Cell>): void {
  const inputs = node.inputs.map((name) => (name === '' ? null : cells.get(name)!))
  const { tf } = runtime
  try {
    tf.tidy(() => {
      const made = kernel(new Call(runtime, node, inputs, types))
      const results: readonly Made[] = Array.isArray(made) ? made : [made as Made]
      results.forEach((result, i) => {
        const cell = asCell(result, types[i])
        for (const tensor of [cell.plain, cell.last]) if (tensor !== undefined) tf.keep(tensor)
        cells.set(node.outputs[i], cell)
      })
    })
  } catch (error) {
    throw error instanceof AutomlError && error.message.startsWith('tfjs') ? error : kernelError(node, inputs, error)
  }
  for (const name of done) {
    disposeCell(cells.get(name)!)
    cells.delete(name)
  }
}

function asCell(made: Made, type: Cell['type']): Cell {
  if ('type' in made) return made
  if (!('last' in made)) return { type, shape: made.shape, plain: made as TfTensor }
  const { shape } = made.last
  return { type, shape: fromLast(shape.length).map((axis) => shape[axis]), last: made.last }
}
