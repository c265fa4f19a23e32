import { describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { makeDataset, range } from './helpers.ts'

function twinsOf(train: ExampleToWrite[]): number[] | null {
  const dataset = openDataset(makeDataset({ train }))
  const twins = dataset.train.twins()
  dataset.close()
  return twins && [...twins]
}

const example = (values: number[], label: number): ExampleToWrite => ({ labels: [label], matrices: [[values]] })

describe('twins', () => {
  it('are rows with the same values and labels, whatever their ids', () => {
    const a = example([1, 2, 3, 4], 0)
    const b = example([1, 2, 3, 5], 1)
    expect(twinsOf([a, b, { ...a, id: 900 }, b])).toEqual([0, 1, 0, 1])
  })

  it('are not found where values or labels differ', () => {
    expect(twinsOf([example([1, 2, 3, 4], 0), example([1, 2, 3, 4], 1), example([1, 2, 3, 5], 0)])).toBeNull()
  })

  it('are no copies where very many rows are alike', () => {
    expect(twinsOf(range(40).map(() => example([0, 0, 0, 0], 0)))).toBeNull()
  })
})
