// The truth itself, without any engine: the cases cover the op table, the float64 reference agrees with closed forms, and the
// gradients that src/graph writes agree with central differences of the reference.
import { describe, expect, test } from 'vitest'
import { gradientTable } from '../../src/graph/gradients/gradients.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { opTable } from '../../src/graph/ops/table.ts'
import { Rng } from '../../src/support/rng.ts'
import { graphCases } from './cases/cases.ts'
import { buildCase, type GraphCase, titleOf, trainedInputs, wantsGradient } from './graph-case.ts'
import { interpret, toReference } from './reference/interpreter.ts'
import type { RefTensor } from './reference/tensor.ts'
import { relativeError, TOLERANCE } from './tolerance.ts'

/** Operators without a case of their own, and why. */
const UNCOVERED: Record<string, string> = {
  'nchwc.ReorderInput':
    'onnxruntime’s blocked layout, which exists on its CPU provider only and in blocks of the processor’s size:',
  'nchwc.ReorderOutput': 'the executor `onnx-cpu, blocked` runs every convolution case through these,',
  'nchwc.Conv': 'and test/engine/lowering.test.ts compares them with plain operators one by one',
  'nchwc.MaxPool': 'as above',
  'nchwc.AveragePool': 'as above',
  'nchwc.Upsample': 'as above',
  'nchwc.GlobalAveragePool': 'as above',
  'nchwc.GlobalMaxPool': 'as above',
}

/** Operators whose gradient is zero or undefined everywhere. */
const FLAT = new Set(['Sign', 'Round', 'Floor', 'Ceil'])

const referencesOf = (feeds: ReturnType<typeof buildCase>['feeds']): Record<string, RefTensor> =>
  Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, toReference(t)]))

const opsOf = (graph: Graph) => graph.nodes.map((node) => node.op)

describe('the cases', () => {
  test('have titles of their own', () => {
    const titles = graphCases.map(titleOf)
    expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([])
  })

  test('cover every operator of the table, forward', () => {
    const used = new Set(graphCases.flatMap((c) => opsOf(buildCase(c).graph)))
    expect(Object.keys(opTable).filter((op) => !used.has(op) && !(op in UNCOVERED))).toEqual([])
    expect(Object.keys(UNCOVERED).filter((op) => used.has(op) || !(op in opTable))).toEqual([])
  })

  test('cover every gradient rule, with finite differences', () => {
    const checked = graphCases.filter((c) => wantsGradient(c) && c.smooth !== false)
    const used = new Set(checked.flatMap((c) => opsOf(buildCase(c, false).graph)))
    expect(Object.keys(gradientTable).filter((op) => !used.has(op) && !FLAT.has(op))).toEqual([])
  })
})

describe('the reference agrees with closed forms', () => {
  const cases = graphCases.filter((c) => c.truth).map((c): [string, GraphCase] => [titleOf(c), c])
  test.each(cases)('%s', (_, c) => {
    const { graph, feeds } = buildCase(c, false)
    const inputs = referencesOf(feeds)
    const outputs = interpret(graph, inputs)
    c.truth!(c.inputs.map((_, i) => inputs[`x${i}`].data)).forEach((expected, i) => {
      expect(relativeError(outputs[`y${i}`].data, expected), `y${i}`).toBeLessThan(TOLERANCE.closedForm)
    })
  })

  test('recurrent layers unrolled for training are the operators used in inference', () => {
    for (const c of graphCases.filter(({ op, what }) => /^layer (gru|lstm)$/.test(op) && what.endsWith('train'))) {
      const twin = graphCases.find((other) => other.op === c.op && other.what === c.what.replace('train', 'infer'))!
      const { graph, feeds } = buildCase(c, false)
      const inputs = referencesOf(feeds)
      const [trained, inferred] = [graph, buildCase(twin, false).graph].map((form) => interpret(form, inputs))
      for (const name of ['y0', 'y1']) {
        expect(relativeError(trained[name].data, inferred[name]), titleOf(c)).toBeLessThan(TOLERANCE.closedForm)
      }
    }
  })
})

describe('gradients agree with central differences', () => {
  const cases = graphCases
    .filter((c) => wantsGradient(c) && c.smooth !== false)
    .map((c): [string, GraphCase] => [titleOf(c), c])
  test.each(cases)('%s', (_, c) => {
    const { graph, feeds } = buildCase(c)
    const forward = buildCase(c, false).graph
    const inputs = referencesOf(feeds)
    const seeds = forward.outputs
      .filter(({ type }) => type === 'float32')
      .map(({ name }, i) => ({ name, seed: inputs[`s${i}`] }))
    const objective = () => {
      const outputs = interpret(forward, inputs)
      return seeds.reduce((total, { name, seed }) => total + dot(outputs[name].data, seed.data), 0)
    }
    const analytic = interpret(graph, inputs)
    trainedInputs(c).forEach((at, i) => {
      const name = `x${at}`
      const grad = analytic[`d${i}`]
      expect(grad.shape, `shape of d${i}`).toEqual(inputs[name].shape)
      const { data } = inputs[name]
      const places = sample(data.length)
      const numeric = places.map((at) => {
        const held = data[at]
        const step = 1e-5
        data[at] = held + step
        const high = objective()
        data[at] = held - step
        const low = objective()
        data[at] = held
        return (high - low) / (2 * step)
      })
      const received = places.map((at) => grad.data[at])
      expect(relativeError(received, numeric), `d${i}`).toBeLessThan(TOLERANCE.finiteDifference)
    })
  })
})

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i], 0)

/** All places of small tensors, 24 of large ones. */
function sample(size: number): number[] {
  const places = [...Rng.fromSeed(size).permutation(size)]
  return size <= 64 ? places : places.slice(0, 24)
}
