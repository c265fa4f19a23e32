import { describe, expect, it } from 'vitest'
import { parseMetadata } from '../../src/dataset/metadata.ts'
import { formatMetadata } from '../../src/dataset/write.ts'
import { dataError, datasetSpec, matrixSpec } from './helpers.ts'

const MATRIX = 'matrix_spec { row_count: 1 col_count: 4 }'
const parse = (text: string) => parseMetadata(Buffer.from(text), 'train/metadata.textproto', 'toy')

describe('a specification', () => {
  it('has the format’s defaults', () => {
    const spec = parse(`output_dim: 3 ${MATRIX}`)
    expect(spec).toEqual(datasetSpec({ outputDim: 3, labelNames: ['', '', ''], sampleCount: 0 }))
  })

  it.each([
    ['three channels for COMPRESSED', 'format: COMPRESSED', 3],
    ['one channel for DENSE', 'format: DENSE', 1],
    ['one channel for SPARSE, by number', 'format: 1', 1],
    ['-1 is the default too', 'format: COMPRESSED num_channels: -1', 3],
    ['what it says', 'format: COMPRESSED num_channels: 1', 1],
  ])('takes %s', (_title, fields, channels) => {
    const spec = parse(`output_dim: 2 matrix_spec { row_count: 8 col_count: -1 ${fields} }`)
    expect(spec.matrices[0]).toMatchObject({ rows: 8, cols: -1, channels })
  })

  it('names labels by index and tokens by id, holes included', () => {
    const spec = parse(`output_dim: 3 ${MATRIX} label_to_index_map { key: "c" value: 2 } label_to_index_map { key: 'a' }
      channel_to_index_map { key: 'x' value: 2 }`)
    expect(spec.labelNames).toEqual(['a', '', 'c'])
    expect(spec.vocabulary).toHaveLength(3)
    expect(spec.vocabulary[2]).toBe('x')
    expect(spec.vocabulary[0]).toBeUndefined()
  })

  it('survives being written and read', () => {
    const spec = datasetSpec({
      matrices: [
        matrixSpec({ rows: 2, isSequenceRow: true, hasLocalityCol: true }),
        matrixSpec({
          rows: -1,
          cols: -1,
          channels: 3,
          format: 'COMPRESSED',
          hasLocalityRow: true,
          isSequenceCol: true,
        }),
      ],
      isSequence: true,
      sequenceSize: -1,
      sampleCount: 12,
      outputDim: 3,
      labelNames: ["it's", 'back\\slash "quoted"', 'two\nlines 没有'],
      featureNames: new Map([['height', 0]]),
      vocabulary: ['a', undefined, '😀', '\x01'],
    })
    expect(parse(formatMetadata(spec))).toEqual(spec)
  })
})

describe('nonsense is refused with its field and rule', () => {
  it.each([
    ['no matrix', 'output_dim: 2', 'matrix_spec', undefined, 'at least one'],
    ['no output_dim', MATRIX, 'output_dim', undefined, 'is missing'],
    ['no classes', `output_dim: 0 ${MATRIX}`, 'output_dim', 0, 'must be from 1'],
    ['negative classes', `output_dim: -3 ${MATRIX}`, 'output_dim', -3, 'must be from 1'],
    ['absurdly many classes', `output_dim: 2000000000 ${MATRIX}`, 'output_dim', 2e9, 'must be from 1'],
    [
      'zero rows',
      'output_dim: 2 matrix_spec { row_count: 0 col_count: 4 }',
      'matrix_spec[0].row_count',
      0,
      'must be -1',
    ],
    [
      'negative columns',
      'output_dim: 2 matrix_spec { row_count: 1 col_count: -7 }',
      'matrix_spec[0].col_count',
      -7,
      'must be -1',
    ],
    ['missing rows', 'output_dim: 2 matrix_spec { col_count: 4 }', 'matrix_spec[0].row_count', undefined, 'is missing'],
    [
      'absurd size',
      'output_dim: 2 matrix_spec { row_count: 90000 col_count: 90000 }',
      'matrix_spec[0]',
      8.1e9,
      'must be at most',
    ],
    [
      'zero channels',
      'output_dim: 2 matrix_spec { row_count: 1 col_count: 4 num_channels: 0 }',
      'matrix_spec[0].num_channels',
      0,
      'must be -1',
    ],
    [
      'pictures of nine channels',
      'output_dim: 2 matrix_spec { row_count: 1 col_count: 4 num_channels: 9 format: COMPRESSED }',
      'matrix_spec[0].num_channels',
      9,
      '1 to 4 channels',
    ],
    ['zero steps', `output_dim: 2 sequence_size: 0 ${MATRIX}`, 'sequence_size', 0, 'must be -1'],
    ['negative sample_count', `output_dim: 2 sample_count: -1 ${MATRIX}`, 'sample_count', -1, 'must be from 0'],
    [
      'a label beyond output_dim',
      `output_dim: 2 ${MATRIX} label_to_index_map { key: 'c' value: 2 }`,
      "label_to_index_map['c']",
      2,
      'must be below output_dim 2',
    ],
    [
      'a negative token id',
      `output_dim: 2 ${MATRIX} channel_to_index_map { key: 'c' value: -2 }`,
      'channel_to_index_map.value',
      -2,
      'must be from 0',
    ],
    [
      'a token id that float32 cannot hold',
      `output_dim: 2 ${MATRIX} channel_to_index_map { key: 'c' value: 16777216 }`,
      'channel_to_index_map.value',
      16777216,
      'must be from 0',
    ],
  ])('%s', async (_title, text, field, value, rule) => {
    const { code, fault, exitCode } = await dataError(() => parse(text))
    expect([code, exitCode, fault.field, fault.value, fault.file]).toEqual([
      'DATA_METADATA',
      3,
      field,
      value,
      'train/metadata.textproto',
    ])
    expect(fault.rule).toContain(rule)
  })
})
