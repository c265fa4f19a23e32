// A small table in the challenge format: Gaussian classes, some of them close together.
import { join } from 'node:path'
import type { ExampleToWrite } from '../../../src/dataset/encode-example.ts'
import type { DatasetSpec } from '../../../src/dataset/spec.ts'
import { writeDataset } from '../../../src/dataset/write.ts'
import { Rng } from '../../../src/support/rng.ts'

export interface TableSize {
  train?: number
  test?: number
  features?: number
  classes?: number
}

/** Writes `<folder>/blobs` and returns its path. */
export function writeTable(folder: string, size: TableSize = {}): string {
  const { train = 1200, test = 200, features = 12, classes = 3 } = size
  const rng = Rng.fromSeed(11)
  const centres = Array.from({ length: classes * features }, () => 0.6 * rng.normal())
  const examples = (count: number): ExampleToWrite[] =>
    Array.from({ length: count }, () => {
      const label = rng.below(classes)
      const x = Array.from({ length: features }, (_, j) => centres[label * features + j] + rng.normal())
      return { labels: [label], matrices: [[x]] }
    })
  const flags = { isSequenceRow: false, isSequenceCol: false, hasLocalityRow: false, hasLocalityCol: false }
  const spec: DatasetSpec = {
    name: 'blobs',
    matrices: [{ rows: 1, cols: features, channels: 1, format: 'DENSE', ...flags }],
    isSequence: false,
    outputDim: classes,
    sequenceSize: 1,
    sampleCount: train,
    labelNames: Array.from({ length: classes }, (_, k) => `class ${k}`),
    featureNames: new Map(),
    vocabulary: [],
  }
  const path = join(folder, 'blobs')
  writeDataset(path, { spec, train: examples(train), test: examples(test) })
  return path
}
