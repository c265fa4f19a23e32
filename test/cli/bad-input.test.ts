// Each way in which data or the output folder can be unusable, met with the real binary: the message names file, record, field, value
// and rule, the exit code is 3, and nothing is left half-written. What is odd but usable is learned from and reported.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encodePng } from '../../fixtures/scripts/encode-png.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import {
  editMetadata,
  editRecords,
  metadataPath,
  recordPath,
  replaceRecord,
  toyExamples,
  writeToy,
} from '../support/toy-dataset.ts'

const root = temporaryFolder()
let count = 0
const fresh = () => join(root, `case-${count++}`)
const toy = () => writeToy(fresh(), { train: toyExamples(40), test: toyExamples(10) })

function spoiled(spoil: (folder: string) => void): string {
  const folder = toy()
  spoil(folder)
  return folder
}

/** A gray picture of noise, so that its PNG has some length. */
function picture(i: number): Uint8Array {
  return encodePng(
    Uint8Array.from({ length: 64 }, (_, k) => (Math.imul(i * 64 + k, 2654435761) >>> 24) / (1 + (i % 2))),
    8,
    8,
  )
}

function pictures(length: number, replace: Record<number, Uint8Array> = {}): string {
  const train = Array.from(
    { length },
    (_, i): ExampleToWrite => ({
      labels: [i % 2],
      matrices: [[replace[i] ?? picture(i)]],
    }),
  )
  const matrix = { rows: 8, cols: 8, format: 'COMPRESSED' as const }
  return writeToy(fresh(), {
    matrix,
    train,
    test: train.slice(0, 10).map((example) => ({ ...example, matrices: [[picture(1)]] })),
  })
}

/** A PNG whose header promises more pixels than its kilobytes could honestly hold. */
function bomb(width: number, height: number): Uint8Array {
  const png = Buffer.from(encodePng(new Uint8Array(1), 1, 1))
  png.writeUInt32BE(width, 16)
  png.writeUInt32BE(height, 20)
  return Buffer.concat([png, deflateSync(Buffer.alloc(1e6))])
}

const UNUSABLE: [string, () => string, RegExp][] = [
  ['no such folder', () => join(root, 'nowhere'), /nowhere: does not exist/],
  [
    'no *.data folder',
    () => {
      const folder = fresh()
      mkdirSync(folder)
      return folder
    },
    /holds neither a \*\.data folder nor train\//,
  ],
  [
    'two *.data folders',
    () => spoiled((folder) => mkdirSync(join(folder, 'other.data'))),
    /holds 2 \*\.data folders \(other\.data, toy\.data\); must be one/,
  ],
  [
    'no metadata',
    () => spoiled((folder) => rmSync(metadataPath(folder, 'train'))),
    /train: has no metadata\.textproto/,
  ],
  ['no records', () => spoiled((folder) => rmSync(recordPath(folder, 'train'))), /train: has no record files/],
  [
    'metadata that cannot be parsed, with line and column',
    () => spoiled((folder) => editMetadata(folder, 'train', (text) => text.replace('output_dim: 2', 'output_dim: {'))),
    /metadata\.textproto:4:13: expected a whole number, found "\{"/,
  ],
  [
    'metadata that break off',
    () => spoiled((folder) => editMetadata(folder, 'train', (text) => text.slice(0, text.indexOf('row_count') + 4))),
    /metadata\.textproto:\d+:\d+: /,
  ],
  [
    'a sample_count that is not the number of records',
    () =>
      spoiled((folder) =>
        editMetadata(folder, 'train', (text) => text.replace('sample_count: 40', 'sample_count: 41')),
      ),
    /train\/metadata\.textproto: field sample_count: received 41; must equal the number of records .*\(40\)/,
  ],
  [
    'test metadata of another task',
    () => spoiled((folder) => editMetadata(folder, 'test', (text) => text.replace('output_dim: 2', 'output_dim: 3'))),
    /test\/metadata\.textproto.*output_dim/,
  ],
  [
    'an output_dim that is too small for the labels',
    () =>
      spoiled((folder) => {
        for (const split of ['train', 'test'] as const) {
          editMetadata(folder, split, (text) =>
            text.replace('output_dim: 2', 'output_dim: 1').replace(/label_to_index_map \{[^}]*value: 1\n\}\n/, ''),
          )
        }
      }),
    /record 1: field label_index: received 1; must be a whole number from 0 to output_dim - 1 = 0/,
  ],
  [
    'a label index out of range',
    () =>
      writeToy(fresh(), { train: [...toyExamples(20), { ...toyExamples(1)[0], labels: [7] }], test: toyExamples(4) }),
    /sample-toy-train\.tfrecord: record 20: field label_index: received 7; must be a whole number from 0 to output_dim - 1 = 1/,
  ],
  [
    'a truncated last record',
    () => spoiled((folder) => editRecords(folder, 'train', (bytes) => bytes.subarray(0, bytes.length - 9))),
    /sample-toy-train\.tfrecord: record 39: /,
  ],
  [
    'a flipped byte',
    () =>
      spoiled((folder) =>
        editRecords(folder, 'train', (bytes) => {
          bytes[Math.floor(bytes.length / 2)] ^= 4
          return bytes
        }),
      ),
    /sample-toy-train\.tfrecord: record \d+: .*(checksum|CRC)/i,
  ],
  [
    'a record that is no example',
    () =>
      spoiled((folder) => editRecords(folder, 'train', (bytes) => replaceRecord(bytes, 3, Buffer.from('nonsense')))),
    /sample-toy-train\.tfrecord: record 3: /,
  ],
  [
    'negative dimensions',
    () =>
      spoiled((folder) => {
        for (const split of ['train', 'test'] as const)
          editMetadata(folder, split, (text) => text.replace('col_count: 3', 'col_count: -3'))
      }),
    /metadata\.textproto:\d+:\d+: field .*col_count: received -3; must be/,
  ],
  [
    'absurd dimensions',
    () =>
      spoiled((folder) => {
        for (const split of ['train', 'test'] as const) {
          editMetadata(folder, split, (text) => text.replace('col_count: 3', 'col_count: 2000000000'))
        }
      }),
    /metadata\.textproto:\d+:\d+: field .*col_count: received 2000000000; must be/,
  ],
  [
    'no labels at all',
    () =>
      writeToy(fresh(), {
        train: toyExamples(10).map((example) => ({ ...example, labels: [] })),
        test: toyExamples(4),
      }),
    /field label_index: no training example has a label/,
  ],
  ['no training examples', () => writeToy(fresh(), { train: [], test: toyExamples(4) }), /train: has no examples/],
  [
    'a name that is a way out of the folder',
    () =>
      spoiled((folder) => {
        renameSync(join(folder, 'toy.data'), join(folder, '...data'))
      }),
    /field dataset name: received "\.\."; must be a plain file name/,
  ],
  [
    'more than one picture in a hundred that cannot be decoded',
    () => pictures(60, { 5: Buffer.from('not a picture at all, but long enough'), 17: picture(3).subarray(0, 40) }),
    /record (5|17): field 0_compressed: /,
  ],
]

describe('unusable data exit with 3, name the fault and leave nothing behind', () => {
  it.each(UNUSABLE)('%s', async (_, make, message) => {
    const out = join(root, `run-${count++}`)
    const { exitCode, stderr, stdout } = await runAutoml([
      'fit',
      make(),
      '--budget',
      '6s',
      '--ui',
      'none',
      '--out',
      out,
    ])
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^automl: /)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(exitCode).toBe(3)
    expect(stdout).toBe('')
    expect(existsSync(join(out, 'milestones')) ? readdirSync(join(out, 'milestones')) : []).toEqual([])
  })

  const BOMBS: [string, Uint8Array][] = [
    ['a picture of 30000 x 30000', bomb(30_000, 30_000)],
    ['a picture that unpacks to gigabytes', bomb(2 ** 31 - 1, 2)],
  ]
  it.each(BOMBS)('%s is refused by its size, before it is decoded', async (_, bytes) => {
    // One alone would be skipped.
    const data = pictures(20, { 3: bytes, 4: bytes })
    const started = performance.now()
    const { exitCode, stderr } = await runAutoml(['inspect', data])
    expect(stderr).toMatch(/record 4: field 0_compressed: .*(30000|2147483647)/)
    expect(exitCode).toBe(3)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('what is odd but usable is learned from and reported', () => {
  async function fit(data: string) {
    const out = join(root, `run-${count++}`)
    const result = await runAutoml(['fit', data, '--budget', '5s', '--ui', 'plain', '--out', out])
    expect(result.stderr).not.toContain('automl: ')
    expect(result.exitCode).toBe(0)
    return { ...result, out }
  }
  const lastPrediction = (out: string) => {
    const folder = join(out, 'predictions')
    const files = readdirSync(folder).filter((file) => file.includes('.predict_'))
    const last = Math.max(...files.map((file) => Number(file.split('_').at(-1))))
    const text = readFileSync(join(folder, `toy.predict_${last}`), 'utf8')
    return text
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
  }

  it('NaN and infinite features are counted', async () => {
    const train = toyExamples(60)
    train[3].matrices = [[[Number.NaN, 1, 2]]]
    train[5].matrices = [[[1, Number.POSITIVE_INFINITY, Number.NaN]]]
    const { out, stderr } = await fit(writeToy(fresh(), { train, test: toyExamples(10) }))
    expect(stderr).toMatch(/2 values are missing \(NaN\)/)
    expect(stderr).toMatch(/1 values are infinite/)
    expect(lastPrediction(out).flat().every(Number.isFinite)).toBe(true)
  })

  it('one unreadable picture in a hundred is skipped with a count', async () => {
    const { stderr } = await fit(pictures(120, { 50: Buffer.from('not a picture at all, but long enough') }))
    expect(stderr).toMatch(/1 train examples? skipped .*record 50/)
  })

  it('a class without examples scores low everywhere', async () => {
    const data = writeToy(fresh(), {
      spec: { outputDim: 3, labelNames: ['no', 'yes', 'never'] },
      train: toyExamples(40),
      test: toyExamples(10),
    })
    const { out, stderr } = await fit(data)
    expect(stderr).toMatch(/1 of 3 classes have no training example \(never\)/)
    for (const row of lastPrediction(out)) expect(row[2]).toBeLessThan(Math.max(row[0], row[1]))
  })

  it('one example', async () => {
    const { out, stderr } = await fit(writeToy(fresh(), { train: toyExamples(1), test: toyExamples(3) }))
    expect(stderr).toContain('there is one training example')
    expect(lastPrediction(out)).toHaveLength(3)
  })

  it('one class', async () => {
    const data = writeToy(fresh(), {
      spec: { outputDim: 1, labelNames: ['only'] },
      train: toyExamples(20).map((example) => ({ ...example, labels: [0] })),
      test: toyExamples(3).map((example) => ({ ...example, labels: [0] })),
    })
    const { out, stderr } = await fit(data)
    expect(stderr).toContain('all labels are of one class')
    expect(lastPrediction(out).map((row) => row.length)).toEqual([1, 1, 1])
  })

  it('an empty test split', async () => {
    const { out, stderr } = await fit(writeToy(fresh(), { train: toyExamples(40), test: [] }))
    expect(stderr).toContain('the test split is empty')
    expect(existsSync(join(out, 'milestones', readFileSync(join(out, 'latest'), 'utf8').trim(), 'model.onnx'))).toBe(
      true,
    )
  })
})

describe('an output folder that cannot be used exits with 3 and stays as it is', () => {
  const fitInto = (out: string) => runAutoml(['fit', toy(), '--budget', '5s', '--ui', 'none', '--out', out])

  it('another run in it', async () => {
    const out = fresh()
    expect((await fitInto(out)).exitCode).toBe(0)
    const before = readFileSync(join(out, 'journal.jsonl'), 'utf8')
    const { exitCode, stderr } = await fitInto(out)
    expect(stderr).toMatch(/holds another run\n {2}hint: .*--resume/)
    expect(exitCode).toBe(3)
    expect(readFileSync(join(out, 'journal.jsonl'), 'utf8')).toBe(before)
  })

  it('other files in it', async () => {
    const out = fresh()
    mkdirSync(out)
    writeFileSync(join(out, 'thesis.txt'), 'dear')
    const { exitCode, stderr } = await fitInto(out)
    expect(stderr).toContain('is not empty and holds no run')
    expect(exitCode).toBe(3)
    expect(readdirSync(out)).toEqual(['thesis.txt'])
  })

  it('a file in its place', async () => {
    const out = fresh()
    copyFileSync(metadataPath(toy(), 'train'), out)
    const { exitCode, stderr } = await fitInto(out)
    expect(stderr).toContain('is a file')
    expect(exitCode).toBe(3)
  })

  it('a place where nothing can be written', async () => {
    const { exitCode, stderr } = await fitInto('/sys/automl-run')
    expect(stderr).toMatch(/\/sys\/automl-run.*cannot write/)
    expect(exitCode).toBe(3)
  })
})
