// The DataSpecification of a dataset as its metadata.textproto states it (challenge format, section 2).
// Names follow the format; -1 ("varies") is kept as is.

export type MatrixFormat = 'DENSE' | 'SPARSE' | 'COMPRESSED'

export interface MatrixSpec {
  /** -1: varies by example. */
  rows: number
  cols: number
  channels: number
  format: MatrixFormat
  isSequenceRow: boolean
  isSequenceCol: boolean
  hasLocalityRow: boolean
  hasLocalityCol: boolean
}

export interface DatasetSpec {
  /** The dataset's name: its `*.data` folder without the ending. */
  name: string
  matrices: MatrixSpec[]
  isSequence: boolean
  /** K, the number of classes. */
  outputDim: number
  /** T, steps per example; -1: varies. */
  sequenceSize: number
  sampleCount: number
  /** Class names by index; `""` where the metadata name none. Length K. */
  labelNames: string[]
  featureNames: Map<string, number>
  /** For token sequences: the vocabulary, token string by id (holes are undefined). Empty when there is none. */
  vocabulary: (string | undefined)[]
}
