// Small datasets in the challenge format, made to order and then spoiled by tests.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import type { DatasetSpec, MatrixSpec } from '../../src/dataset/spec.ts'
import { frameRecord, writeDataset } from '../../src/dataset/write.ts'

export interface Toy {
  name?: string
  matrix?: Partial<MatrixSpec>
  spec?: Partial<DatasetSpec>
  train: ExampleToWrite[]
  test: ExampleToWrite[]
}

/** Two classes that one of three features tells apart. */
export function toyExamples(count: number): ExampleToWrite[] {
  return Array.from({ length: count }, (_, i) => ({
    labels: [i % 2],
    matrices: [[[(i % 2) * 2 - 1 + Math.sin(i) / 4, Math.cos(3 * i), Math.sin(7 * i)]]],
  }))
}

/** Writes the dataset into `folder` and returns the path to give to the command line. */
export function writeToy(folder: string, { name = 'toy', matrix, spec, train, test }: Toy): string {
  const whole: DatasetSpec = {
    name,
    matrices: [
      {
        rows: 1,
        cols: 3,
        channels: 1,
        format: 'DENSE',
        isSequenceRow: false,
        isSequenceCol: false,
        hasLocalityRow: false,
        hasLocalityCol: false,
        ...matrix,
      },
    ],
    isSequence: false,
    outputDim: 2,
    sequenceSize: 1,
    sampleCount: train.length,
    labelNames: ['no', 'yes'],
    featureNames: new Map(),
    vocabulary: [],
    ...spec,
  }
  writeDataset(folder, { spec: whole, train, test })
  return folder
}

type SplitName = 'train' | 'test'

export function metadataPath(folder: string, split: SplitName, name = 'toy'): string {
  return join(folder, `${name}.data`, split, 'metadata.textproto')
}

export function editMetadata(folder: string, split: SplitName, edit: (text: string) => string): void {
  const path = metadataPath(folder, split)
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
}

export function recordPath(folder: string, split: SplitName, name = 'toy'): string {
  const place = join(folder, `${name}.data`, split)
  return join(place, readdirSync(place).find((file) => file.startsWith('sample'))!)
}

export function editRecords(folder: string, split: SplitName, edit: (bytes: Buffer) => Uint8Array): void {
  const path = recordPath(folder, split)
  writeFileSync(path, edit(readFileSync(path)))
}

/** Replaces the bytes of record `index` by what is not an example, checksums being right. */
export function replaceRecord(bytes: Buffer, index: number, content: Uint8Array): Buffer {
  let at = 0
  for (let i = 0; i < index; i++) at += Number(bytes.readBigUInt64LE(at)) + 16
  const after = at + Number(bytes.readBigUInt64LE(at)) + 16
  return Buffer.concat([bytes.subarray(0, at), frameRecord(content), bytes.subarray(after)])
}
