// Datasets that are wrong: each is refused with file, record, field, value and rule, or accepted with a warning.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { frameRecord } from '../../src/dataset/write.ts'
import {
  allRows,
  alter,
  alterText,
  dataError,
  datasetSpec,
  makeDataset,
  matrixSpec,
  metadataFile,
  range,
  recordFile,
  temporaryFolder,
} from './helpers.ts'

/** Changes the folder, then names it, or a folder inside it. */
const after =
  (change: (folder: string) => void, inside = '') =>
  (folder: string): string => {
    change(folder)
    return join(folder, inside)
  }

const opening = (path: string) => dataError(() => openDataset(path))
const reading = (path: string, split: 'train' | 'test' = 'train') =>
  dataError(async () => {
    const dataset = openDataset(path)
    try {
      await dataset[split]!.read(allRows(dataset[split]!.count))
    } finally {
      dataset.close()
    }
  })

describe('bytes that no writer makes', () => {
  /** A varint of ten bytes: a negative int64. */
  const negative = (value: bigint) => {
    const bytes: number[] = []
    for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
      if (rest < 128n) return [...bytes, Number(rest)]
      bytes.push(Number(rest & 127n) | 128)
    }
  }

  it.each([
    ['the context', 0x0a],
    ['the feature lists', 0x12],
    ['an unknown field', 0x1a],
  ])('a negative length of %s is refused, not followed backwards', async (_title, tag) => {
    const folder = makeDataset()
    const payload = Buffer.from([tag, ...negative(-11n)])
    writeFileSync(recordFile(folder), Buffer.concat(range(6).map(() => frameRecord(payload))))
    const { code, exitCode, fault } = await dataError(async () => {
      const dataset = openDataset(folder)
      await dataset.train.read(allRows(6))
    })
    expect([code, exitCode, fault.record]).toEqual(['DATA_RECORD', 3, 0])
    expect(fault.rule).toContain('length -11')
  })

  it('metadata nested without end are refused', async () => {
    const folder = makeDataset()
    writeFileSync(metadataFile(folder), 'x{'.repeat(50_000))
    const { code, fault } = await opening(folder)
    expect([code, fault.rule]).toEqual(['DATA_METADATA', 'is nested more than 100 deep'])
  })

  it('labels that no memory holds are refused', async () => {
    const many = range(1100).map((): ExampleToWrite => ({ labels: [0], matrices: [[[1, 2, 3, 4]]] }))
    const folder = makeDataset({ spec: datasetSpec({ outputDim: 1_000_000, labelNames: [] }), train: many, test: [] })
    const { code, fault } = await opening(folder)
    expect([code, fault.field, fault.value]).toEqual(['DATA_METADATA', 'output_dim', 1_000_000])
  })

  it('sizes that no memory holds are refused', async () => {
    const folder = makeDataset()
    for (const split of ['train', 'test'] as const) {
      alterText(metadataFile(folder, split), /sequence_size: 1\b/, 'sequence_size: 1000000000')
    }
    const { code, fault } = await opening(folder)
    expect([code, fault.field]).toEqual(['DATA_METADATA', 'sequence_size'])
  })
})

describe('where the data are', () => {
  it.each([
    ['the dataset folder', (folder: string) => folder],
    ['the *.data folder', (folder: string) => join(folder, 'toy.data')],
    ['either with a slash at the end', (folder: string) => `${folder}/`],
    [
      'a folder with train/ and test/',
      after((folder) => renameSync(join(folder, 'toy.data'), join(folder, 'toy')), 'toy'),
    ],
  ])('accepts %s', (_title, path) => {
    const dataset = openDataset(path(makeDataset()))
    expect([dataset.spec.name, dataset.train.count, dataset.test!.count]).toEqual(['toy', 6, 3])
    expect(dataset.files.solution).toMatch(/toy\.solution$/)
    dataset.close()
  })

  it('refuses a link to a record file that is not there', async () => {
    const folder = makeDataset()
    symlinkSync('/nowhere/at/all', join(recordFile(folder), '..', 'sample-second.tfrecord'))
    const { code, exitCode, fault } = await opening(folder)
    expect([code, exitCode]).toEqual(['DATA_MISSING', 3])
    expect(`${fault.file} ${fault.rule}`).toMatch(/sample-second\.tfrecord is a link to a file that is not there/)
  })

  it.each([
    ['a folder that does not exist', (folder: string) => join(folder, 'nowhere'), 'does not exist'],
    ['a file', (folder: string) => join(folder, 'toy.solution'), 'is not a folder'],
    [
      'a folder without *.data',
      after((folder) => rmSync(join(folder, 'toy.data'), { recursive: true })),
      'holds neither a *.data folder nor train/',
    ],
    [
      'two *.data folders',
      after((folder) => cpSync(join(folder, 'toy.data'), join(folder, 'copy.data'), { recursive: true })),
      'holds 2 *.data folders (copy.data, toy.data); must be one',
    ],
    [
      'a *.data folder without train/',
      after((folder) => rmSync(join(folder, 'toy.data/train'), { recursive: true })),
      'has no folder train/',
    ],
    ['no training metadata', after((folder) => rmSync(metadataFile(folder))), 'has no metadata.textproto'],
    ['no training records', after((folder) => rmSync(recordFile(folder))), 'has no record files (sample*)'],
    [
      'test records without metadata',
      after((folder) => rmSync(metadataFile(folder, 'test'))),
      'has records but no metadata.textproto',
    ],
  ])('refuses %s', async (_title, change, rule) => {
    const { code, exitCode, fault } = await opening(change(makeDataset()))
    expect([code, exitCode]).toEqual(['DATA_MISSING', 3])
    expect(fault.rule).toContain(rule)
    expect(fault.file).toBeTruthy()
  })

  it.each([
    ['two dots', '...data', '..'],
    ['one dot', '..data', '.'],
    ['nothing', '.data', ''],
    ['a backslash path', '..\\..\\etc.data', '..\\..\\etc'],
    ['a line break', 'a\nb.data', 'a\nb'],
  ])('refuses %s as a dataset name', async (_title, folderName, name) => {
    const folder = makeDataset()
    renameSync(join(folder, 'toy.data'), join(folder, folderName))
    const { code, fault } = await opening(join(folder, folderName))
    expect([code, fault.field, fault.value]).toEqual(['DATA_MISSING', 'dataset name', name])
    expect(fault.rule).toContain('plain file name')
  })

  it('reads shards in the order of their names, and nothing else', () => {
    const folder = makeDataset({}, { shards: 3 })
    writeFileSync(join(folder, 'toy.data/train/notes.txt'), 'no record')
    mkdirSync(join(folder, 'toy.data/train/sample-folder'))
    const dataset = openDataset(folder)
    expect([...dataset.train.ids]).toEqual([3, 4, 5, 6, 7, 8])
    dataset.close()
  })
})

describe('metadata', () => {
  it('that cannot be parsed: line and column', async () => {
    const folder = makeDataset()
    alterText(metadataFile(folder), 'output_dim: 2', 'output_dim: two')
    const { code, message } = await opening(folder)
    expect(code).toBe('DATA_METADATA')
    expect(message).toBe('train/metadata.textproto:4:13: received "two"; must be a whole number')
  })

  it('that breaks off', async () => {
    const folder = makeDataset()
    alter(metadataFile(folder), (bytes) => bytes.subarray(0, bytes.length - 4))
    expect((await opening(folder)).message).toMatch(
      /^train\/metadata\.textproto:22:10: expected a whole number, found the end of the file$/,
    )
  })

  it.each(['train', 'test'] as const)('of %s with a sample_count that disagrees with the records', async (split) => {
    const folder = makeDataset()
    alterText(metadataFile(folder, split), /sample_count: \d/, 'sample_count: 77')
    const { code, exitCode, fault } = await opening(folder)
    expect([code, exitCode, fault.file, fault.field, fault.value]).toEqual([
      'DATA_MISMATCH',
      3,
      `${split}/metadata.textproto`,
      'sample_count',
      77,
    ])
    expect(fault.rule).toContain(`must equal the number of records in ${split}/sample* (${split === 'train' ? 6 : 3})`)
  })

  it.each([
    ['output_dim', 'output_dim: 2', 'output_dim: 3', 3],
    ['sequence_size', 'sequence_size: 1', 'sequence_size: 5', 5],
    ['matrix_spec[0]', 'col_count: 4', 'col_count: 5', JSON.stringify(matrixSpec({ cols: 5 }))],
    ['label_to_index_map', "key: 'yes'", "key: 'maybe'", 'no\nmaybe'],
  ])('of test that differ in %s', async (field, from, to, value) => {
    const folder = makeDataset()
    alterText(metadataFile(folder, 'test'), from, to)
    const { code, fault } = await opening(folder)
    expect([code, fault.file, fault.field, fault.value]).toEqual([
      'DATA_MISMATCH',
      'test/metadata.textproto',
      field,
      value,
    ])
    expect(fault.rule).toContain("must equal the training split's")
  })

  it('of test may be spelled otherwise', () => {
    const folder = makeDataset()
    alterText(metadataFile(folder, 'test'), 'output_dim: 2', '# two classes\noutput_dim: 0x2')
    const dataset = openDataset(folder)
    expect(dataset.test!.count).toBe(3)
    dataset.close()
  })
})

describe('records', () => {
  it.each([1, 5, 17, 40])('truncated by %i bytes', async (bytes) => {
    const folder = makeDataset()
    const file = recordFile(folder)
    truncateSync(file, statSync(file).size - bytes)
    const { code, exitCode, fault, message } = await opening(folder)
    expect([code, exitCode, fault.record]).toEqual(['DATA_RECORD', 3, 5])
    expect(message).toMatch(
      /^train\/sample-toy-train\.tfrecord: record 5: truncated: needs \d+ bytes and a checksum from byte \d+ on, but the file ends at \d+$/,
    )
  })

  it('truncated within a header', async () => {
    const folder = makeDataset()
    alter(recordFile(folder), (bytes) => Buffer.concat([bytes, Buffer.alloc(7)]))
    expect((await opening(folder)).message).toMatch(/record 6: truncated: needs 12 bytes of header/)
  })

  it('with a flipped byte in a length', async () => {
    const folder = makeDataset()
    flip(recordFile(folder), recordLength(folder))
    const { code, fault } = await opening(folder)
    expect([code, fault.record, fault.field]).toEqual(['DATA_RECORD', 5, 'length'])
    expect(fault.rule).toMatch(/^checksum mismatch at byte \d+/)
  })

  it.each([
    ['the values', 30],
    ['the checksum', 2],
  ])('with a flipped byte in %s', async (_title, fromEnd) => {
    const folder = makeDataset()
    flip(recordFile(folder), fromEnd)
    const { code, exitCode, fault } = await reading(folder)
    expect([code, exitCode, fault.record, fault.file]).toEqual(['DATA_RECORD', 3, 5, 'train/sample-toy-train.tfrecord'])
    expect(fault.rule).toContain('checksum mismatch')
  })

  it('name shard and record within it', async () => {
    const folder = makeDataset({}, { shards: 3 })
    flip(join(folder, 'toy.data/train/sample-toy-train.tfrecord-00001-of-00003'), 9)
    const { fault } = await reading(folder)
    expect([fault.file, fault.record]).toEqual(['train/sample-toy-train.tfrecord-00001-of-00003', 1])
  })

  it.each([
    [
      'text',
      Buffer.from('these are not the records you are looking for'),
      'this is no TFRecord file, or it was altered',
    ],
    ['gzip', gzipSync(Buffer.alloc(1000)), 'the file is gzip-compressed'],
  ])('that are %s', async (_title, content, rule) => {
    const folder = makeDataset()
    writeFileSync(recordFile(folder), content)
    expect((await opening(folder)).fault.rule).toContain(rule)
  })

  it.each([
    ['a context that ends past its record', Buffer.from([0x0a, 0x50, 1, 2, 3])],
    ['an endless number', Buffer.from([0x0a, 0x0b, ...new Array(11).fill(0xff)])],
    ['an unknown wire type', Buffer.from([0x0f, 0x00])],
  ])('with %s', async (_title, content) => {
    const folder = makeDataset()
    alterText(metadataFile(folder), /sample_count: \d/, 'sample_count: 1')
    writeFileSync(recordFile(folder), frameRecord(content))
    const { code, fault } = await opening(folder)
    expect([code, fault.record, fault.field]).toEqual(['DATA_RECORD', 0, 'context'])
  })

  it('cut at any byte, with a matching checksum, give a DataError or values, never a crash', async () => {
    const folder = makeDataset({ train: [{ labels: [1], matrices: [[[1, 2, 3, 4]]] }], test: [] })
    const record = readFileSync(recordFile(folder)).subarray(12, -4)
    for (let length = 0; length < record.length; length++) {
      writeFileSync(recordFile(folder), frameRecord(record.subarray(0, length)))
      const { exitCode } = await reading(folder)
      expect(exitCode).toBe(3)
    }
  })

  it('whose bytes are swapped at random, with a matching checksum, give a DataError or values, never a crash', async () => {
    const folder = makeDataset({ train: [{ labels: [1], matrices: [[[1, 2, 3, 4]]] }], test: [] })
    const record = readFileSync(recordFile(folder)).subarray(12, -4)
    let refused = 0
    for (let i = 0; i < record.length; i++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(record)
        changed[i] = value
        writeFileSync(recordFile(folder), frameRecord(changed))
        try {
          const dataset = openDataset(folder)
          try {
            await dataset.train.read(allRows(1))
          } finally {
            dataset.close()
          }
        } catch (error) {
          expect(error).toMatchObject({ exitCode: 3 })
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(50)
  })
})

describe('contents of records', () => {
  const dense = (values: number[][], labels: ExampleToWrite['labels'] = [0]) =>
    makeDataset({ train: [{ labels, matrices: [values] }], test: [] })

  it.each([
    [
      'too many values in a step',
      dense([[1, 2, 3, 4, 5]]),
      '0_dense_input',
      'a step holds 5 values; must be at most rows x cols x channels = 4',
    ],
    [
      'too many steps',
      dense([
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ]),
      '0_dense_input',
      'holds 2 steps; must be at most sequence_size 1',
    ],
    [
      'rows that do not come out even',
      makeDataset({
        spec: datasetSpec({ matrices: [matrixSpec({ rows: -1, cols: 3 })] }),
        train: [{ labels: [0], matrices: [[[1, 2, 3, 4]]] }],
        test: [],
      }),
      '0_dense_input',
      'no whole number of rows and columns',
    ],
    [
      'a missing matrix',
      makeDataset({
        spec: datasetSpec({ matrices: [matrixSpec({ format: 'SPARSE' })] }),
        train: [{ labels: [0], matrices: [[[1]]] }],
        test: [],
      }),
      '0_sparse_value',
      'is missing',
    ],
    [
      'a sparse column beyond the specification',
      sparse({ rows: [0], cols: [4], values: [1] }),
      '0_sparse_value',
      'col_index 4 must be from 0 to 3',
    ],
    [
      'a negative sparse row',
      sparse({ rows: [-1], cols: [0], values: [1] }),
      '0_sparse_value',
      'row_index -1 must be from 0 to 0',
    ],
    [
      'a sparse column that 32 bits would fold back to the first',
      sparse({ rows: [0], cols: [2 ** 32], values: [1] }),
      '0_sparse_value',
      'col_index -1 must be from 0 to 3',
    ],
    [
      'sparse lists of unequal length',
      sparse({ rows: [0, 0], cols: [1], values: [1, 2] }),
      '0_sparse_value',
      'col_index has 1 entries; must be as many as there are values (2)',
    ],
  ])('%s', async (_title, folder, field, rule) => {
    const { code, exitCode, fault } = await reading(folder)
    expect([code, exitCode, fault.record, fault.field]).toEqual(['DATA_RECORD', 3, 0, field])
    expect(fault.rule).toContain(rule)
  })

  it.each([
    ['beyond output_dim', [2], 'label_index', 2, 'must be a whole number from 0 to output_dim - 1 = 1'],
    ['negative', [-1], 'label_index', -1, 'must be a whole number from 0 to output_dim - 1 = 1'],
    ['with a score above 1', [{ index: 0, score: 1.5 }], 'label_score', 1.5, 'must be from 0 to 1'],
    [
      'with a score that is no number',
      [{ index: 0, score: Number.NaN }],
      'label_score',
      Number.NaN,
      'must be from 0 to 1',
    ],
  ])('a label %s', async (_title, labels, field, value, rule) => {
    const { code, exitCode, fault } = await opening(dense([[1, 2, 3, 4]], labels))
    expect([code, exitCode, fault.record, fault.field, fault.value, fault.rule]).toEqual([
      'DATA_LABEL',
      3,
      0,
      field,
      value,
      rule,
    ])
  })
})

describe('little data', () => {
  const example = (label: number): ExampleToWrite => ({ labels: [label], matrices: [[[1, 2, 3, 4]]] })
  const warningsOf = (over: Parameters<typeof makeDataset>[0]) => {
    const dataset = openDataset(makeDataset(over))
    dataset.close()
    return dataset.warnings.join('\n')
  }

  it('no training example at all is an error', async () => {
    const folder = makeDataset({ train: [], test: [] })
    expect(await opening(folder)).toMatchObject({ code: 'DATA_EMPTY', exitCode: 3 })
  })

  it('no label at all is an error, unless nothing is to be learned', async () => {
    const folder = makeDataset({ train: range(3).map(() => ({ labels: [], matrices: [[[1, 2, 3, 4]]] })), test: [] })
    const { code, fault } = await opening(folder)
    expect([code, fault.rule]).toEqual(['DATA_LABEL', 'no training example has a label'])
    openDataset(folder, { needLabels: false }).close()
  })

  it('labels that all have score 0 are no labels', async () => {
    const folder = makeDataset({ train: [{ labels: [{ index: 1, score: 0 }], matrices: [[[1, 2, 3, 4]]] }], test: [] })
    expect((await opening(folder)).code).toBe('DATA_LABEL')
  })

  it('one example is usable', () => {
    expect(warningsOf({ train: [example(0)], test: [] })).toContain('there is one training example')
  })

  it('one class is usable', () => {
    expect(warningsOf({ train: [example(1), example(1)], test: [] })).toContain('all labels are of one class')
  })

  it('a class without examples is usable and named', () => {
    expect(warningsOf({ train: [example(1), example(1)], test: [] })).toContain(
      '1 of 2 classes have no training example (no)',
    )
  })

  it('an empty test split is usable', () => {
    const folder = makeDataset({ test: [] })
    const dataset = openDataset(folder)
    expect([dataset.test!.count, dataset.test!.ids.length]).toEqual([0, 0])
    expect(dataset.warnings.join()).toContain('the test split is empty')
    dataset.close()
  })

  it('no test split is usable', () => {
    const folder = makeDataset()
    rmSync(join(folder, 'toy.data/test'), { recursive: true })
    const dataset = openDataset(folder)
    expect(dataset.test).toBeNull()
    expect(dataset.warnings.join()).toContain('there is no test split')
    dataset.close()
  })
})

it('leaves no file open, whether it succeeds or fails', async () => {
  const good = makeDataset({}, { shards: 4 })
  const bad = temporaryFolder()
  cpSync(good, bad, { recursive: true })
  copyFileSync(metadataFile(good, 'test'), metadataFile(bad, 'test'))
  alterText(metadataFile(bad, 'test'), /sample_count: \d/, 'sample_count: 77')
  const openFiles = () => readdirSync('/proc/self/fd').length
  const before = openFiles()
  for (let i = 0; i < 20; i++) {
    openDataset(good).close()
    await opening(bad)
  }
  expect(openFiles()).toBeLessThan(before + 4)
})

function sparse(entries: ExampleToWrite['matrices'][number]): string {
  const spec = datasetSpec({ matrices: [matrixSpec({ format: 'SPARSE' })] })
  return makeDataset({ spec, train: [{ labels: [0], matrices: [entries] }], test: [] })
}

function flip(file: string, fromEnd: number): void {
  alter(file, (bytes) => {
    bytes[bytes.length - fromEnd] ^= 4
    return bytes
  })
}

/** Bytes of the last record with its framing: all of the toy's records are alike. */
function recordLength(folder: string): number {
  return statSync(recordFile(folder)).size / 6
}
