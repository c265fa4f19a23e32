// A dataset in memory, in a form that variants can change, read by the project's own reader and written by its own writer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Transformer } from '@napi-rs/image'
import { encodePng } from '../../fixtures/scripts/encode-png.ts'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite, LabelToWrite, MatrixToWrite } from '../../src/dataset/encode-example.ts'
import { type Kind, profileDataset } from '../../src/dataset/profile.ts'
import type { DatasetSpec } from '../../src/dataset/spec.ts'
import type { Split } from '../../src/dataset/split.ts'
import { writeDataset } from '../../src/dataset/write.ts'

/** One matrix of an example. Shapes are [steps, rows, cols, channels]; values row-major. */
export type Value =
  | { layout: 'dense'; shape: number[]; values: Float32Array }
  /** Bytes of decoded pictures, a frame a step. */
  | { layout: 'pictures'; shape: number[]; values: Uint8Array }
  /** Positions within [rows, cols, channels], flattened. */
  | { layout: 'sparse'; positions: Int32Array; values: Float32Array }

export interface Example {
  labels: LabelToWrite[]
  matrices: Value[]
}

export interface Editable {
  spec: DatasetSpec
  /** As the project sees the data before any change. */
  kind: Kind
  multiLabel: boolean
  train: Example[]
  /** Labels are those of the solution. */
  test: Example[]
}

/** Larger pictures are written as JPEG: PNG would make gigabytes of blown-up noise. */
const PNG_PIXELS = 64 * 1024

/** Reads `folder`/<name>.data and the solution beside it. */
export async function readEditable(folder: string, name: string): Promise<Editable> {
  const dataset = openDataset(folder)
  try {
    const { kind, multiLabel } = await profileDataset(dataset)
    const { spec } = dataset
    const { start, index, score } = dataset.train.labelLists
    const known = (i: number) =>
      Array.from({ length: start[i + 1] - start[i] }, (_, j) => ({
        index: index[start[i] + j],
        score: score[start[i] + j],
      }))
    const answers = readFileSync(join(folder, `${name}.solution`), 'utf8')
      .trimEnd()
      .split('\n')
    const hidden = (i: number) =>
      answers[i]
        .trim()
        .split(/\s+/)
        .flatMap((value, k) => (Number(value) > 0 ? [{ index: k, score: Number(value) }] : []))
    const train = await readExamples(dataset.train, spec, known)
    const test = dataset.test === null ? [] : await readExamples(dataset.test, spec, hidden)
    return { spec, kind, multiLabel, train, test }
  } finally {
    dataset.close()
  }
}

async function readExamples(split: Split, spec: DatasetSpec, labels: (i: number) => LabelToWrite[]) {
  const rows = Int32Array.from({ length: split.count }, (_, i) => i)
  const examples: Example[] = Array.from(rows, (i) => ({ labels: labels(i), matrices: [] }))
  for (let m = 0; m < spec.matrices.length; m++) {
    const batch = await split.read(rows, m)
    for (let i = 0; i < rows.length; i++) examples[i].matrices.push(valueAt(batch, i))
  }
  return examples
}

function valueAt(batch: Awaited<ReturnType<Split['read']>>, i: number): Value {
  if (batch.layout === 'sparse') {
    const { indptr, indices, values } = batch
    return {
      layout: 'sparse',
      positions: indices.slice(indptr[i], indptr[i + 1]),
      values: values.slice(indptr[i], indptr[i + 1]),
    }
  }
  const { data, offsets, shapes } = batch
  const shape = [...shapes.subarray(4 * i, 4 * i + 4)]
  const values = data.slice(offsets[i], offsets[i + 1])
  return values instanceof Uint8Array ? { layout: 'pictures', shape, values } : { layout: 'dense', shape, values }
}

/** Writes `folder`/<spec.name>.data and the solution. */
export function writeEditable(folder: string, { spec, train, test }: Editable): void {
  const written = (examples: Example[]): ExampleToWrite[] =>
    examples.map(({ labels, matrices }) => ({ labels, matrices: matrices.map((value, m) => encode(value, spec, m)) }))
  writeDataset(folder, { spec, train: written(train), test: written(test) })
}

function encode(value: Value, spec: DatasetSpec, matrix: number): MatrixToWrite {
  switch (value.layout) {
    case 'dense':
      return steps(value.values, value.shape[0])
    case 'pictures': {
      const [count, height, width, channels] = value.shape
      return steps(value.values, count).map((pixels) => encodePicture(pixels, width, height, channels))
    }
    case 'sparse': {
      const { cols, channels } = spec.matrices[matrix]
      const at = Array.from(value.positions)
      return {
        rows: at.map((position) => Math.floor(position / (cols * channels))),
        cols: at.map((position) => Math.floor(position / channels) % cols),
        ...(channels > 1 ? { channels: at.map((position) => position % channels) } : {}),
        values: Array.from(value.values),
      }
    }
    default:
      throw value satisfies never
  }
}

function encodePicture(pixels: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  if (width * height <= PNG_PIXELS && (channels === 1 || channels === 3)) {
    return encodePng(pixels, width, height, { channels, level: 1 })
  }
  return Transformer.fromRgbaPixels(rgba(pixels, channels), width, height).jpegSync(92)
}

/** Gray is repeated, alpha is opaque. */
export function rgba(pixels: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array((pixels.length / channels) * 4)
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 4) {
    for (let c = 0; c < 3; c++) out[to + c] = pixels[from + (channels >= 3 ? c : 0)]
    out[to + 3] = 255
  }
  return out
}

function steps<T extends Float32Array | Uint8Array>(values: T, count: number): T[] {
  const size = count === 0 ? 0 : values.length / count
  return Array.from({ length: count }, (_, t) => values.subarray(t * size, (t + 1) * size) as T)
}
