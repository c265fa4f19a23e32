// Small datasets in the challenge format, made in a temporary folder, and pictures to put into them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transformer } from '@napi-rs/image'
import omggif from 'omggif'
import { afterAll } from 'vitest'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import type { DatasetSpec, MatrixSpec } from '../../src/dataset/spec.ts'
import { type WriteOptions, writeDataset } from '../../src/dataset/write.ts'
import { DataError } from '../../src/support/errors.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'automl-dataset-'))
  folders.push(folder)
  return folder
}

export function matrixSpec(over: Partial<MatrixSpec> = {}): MatrixSpec {
  return {
    rows: 1,
    cols: 4,
    channels: 1,
    format: 'DENSE',
    isSequenceRow: false,
    isSequenceCol: false,
    hasLocalityRow: false,
    hasLocalityCol: false,
    ...over,
  }
}

export function datasetSpec(over: Partial<DatasetSpec> = {}): DatasetSpec {
  return {
    name: 'toy',
    matrices: [matrixSpec()],
    isSequence: false,
    outputDim: 2,
    sequenceSize: 1,
    sampleCount: 0,
    labelNames: ['no', 'yes'],
    featureNames: new Map(),
    vocabulary: [],
    ...over,
  }
}

/** Writes a dataset and returns its folder. By default: four numbers per example, two classes. */
export function makeDataset(
  over: { spec?: DatasetSpec; train?: ExampleToWrite[]; test?: ExampleToWrite[] } = {},
  options: WriteOptions = {},
): string {
  const folder = temporaryFolder()
  const example = (i: number): ExampleToWrite => ({ labels: [i % 2], matrices: [[[i, i + 1, i + 2, i + 3]]] })
  const { spec = datasetSpec(), train = range(6).map(example), test = range(3).map(example) } = over
  writeDataset(folder, { spec, train, test }, options)
  return folder
}

export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}

export function allRows(n: number): Int32Array {
  return Int32Array.from(range(n))
}

/** The record file of a split of the toy dataset. */
export function recordFile(folder: string, split: 'train' | 'test' = 'train'): string {
  const place = join(folder, 'toy.data', split)
  return join(place, readdirSync(place).find((name) => name.startsWith('sample'))!)
}

export function metadataFile(folder: string, split: 'train' | 'test' = 'train'): string {
  return join(folder, 'toy.data', split, 'metadata.textproto')
}

/** Rewrites a file's bytes. */
export function alter(file: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(file, change(readFileSync(file)))
}

export function alterText(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, 'utf8')
  const changed = text.replace(from, to)
  if (changed === text) throw new Error(`${file} does not contain ${from}`)
  writeFileSync(file, changed)
}

/** The DataError that `act` ends with. */
export async function dataError(act: () => unknown): Promise<DataError> {
  try {
    await act()
  } catch (error) {
    if (error instanceof DataError) return error
    throw error
  }
  throw new Error('expected a DataError, but nothing was thrown')
}

/** A picture whose pixel (x, y) is `color(x, y)`, RGBA. */
export function picture(
  width: number,
  height: number,
  color: (x: number, y: number) => readonly [number, number, number, number],
): Transformer {
  const pixels = new Uint8Array(width * height * 4)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(color(x, y), (y * width + x) * 4)
  return Transformer.fromRgbaPixels(pixels, width, height)
}

export function grayPng(width: number, height: number, gray: (x: number, y: number) => number): Buffer {
  const level = (x: number, y: number) => [gray(x, y), gray(x, y), gray(x, y), 255] as const
  return picture(width, height, level).grayscale().pngSync()
}

/** Two frames; the first has color index (x + y) % 4 of black, red, green, white. */
export function gif(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(4096)
  const palette = [0x000000, 0xff0000, 0x00ff00, 0xffffff]
  const writer = new omggif.GifWriter(bytes, width, height, { palette })
  const frame = (shift: number) => range(width * height).map((i) => ((i % width) + Math.floor(i / width) + shift) % 4)
  writer.addFrame(0, 0, width, height, frame(0))
  writer.addFrame(0, 0, width, height, frame(1))
  return bytes.subarray(0, writer.end())
}
