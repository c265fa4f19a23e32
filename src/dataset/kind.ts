// What kind of data this is, and why, in words. Locality and sequence flags decide where they are informative: a flag says
// that an axis has an order. Where both axes have the same flags, whoever wrote the file may not have looked at the data: one
// public converter flags both axes of every table as local, a newer one sets no flag even for pictures. Then the shape decides,
// by the rule that the challenge's winners used (challenge format, section 2), and where that leaves two kinds, the sampled values.
import type { Extent, Kind, MatrixProfile } from './profile.ts'
import type { DatasetSpec, MatrixSpec } from './spec.ts'

/** What the values of a sample look like along their order. */
export interface SignalEvidence {
  /** Share of steps at which the signal crosses its own mean, median over examples. */
  crossings: number
  /** |mean| / standard deviation, median over examples: near 0 for sound. */
  offset: number
  /** Correlation of neighbouring steps, median over examples. */
  autocorrelation: number
  /** Correlation of neighbouring columns over examples, median over columns; 0 where there are none. */
  neighbours: number
  cells: CellCorrelations
}

/**
 * Correlations of cells of a matrix, each brought to mean 0 and variance 1 over the sample, less the mean of its example: of columns
 * of a table, and of pixels in a random order, they are about 0 whatever the distance. Cells that are constant are left out.
 */
export interface CellCorrelations {
  /** Of a cell and the next one in its row. */
  right: number
  /** Of a cell and the next one in its column. */
  lower: number
  /** Of cells half a matrix apart along one axis or both. */
  far: number
}

export interface KindDecision {
  kind: Kind
  /** The matrix that decided. */
  matrix: number
  reason: string
  /** Of every matrix by itself. */
  kinds: Kind[]
}

/** Sound has at least this many samples in one clip (0.05 s at 8 kHz). */
const MIN_CLIP = 400
/** From here on one value a step that oscillates is sound, even when all examples are equally long. */
const LONG_CLIP = 2000
/** Speech crosses zero in 1 to 30 % of its samples. */
const MIN_CROSSINGS = 0.01
/** Neighbouring token ids are unrelated; neighbouring samples of a signal are not. */
const MAX_TOKEN_CORRELATION = 0.3
/** Neighbouring columns of a smooth series move together; those of a table do so by chance. */
const SERIES_CORRELATION = 0.7
/** Neighbouring pixels are more alike than this, even those of thin strokes. */
const PICTURE_CORRELATION = 0.3
/** And more alike than distant ones by this. */
const PICTURE_MARGIN = 0.15
/** Fewer rows or columns have few neighbours, and a table's may be related by chance. */
const MIN_PICTURE_SIDE = 8

/** The first matrix that is more than a table decides; a task of tables only is a table. */
export function decideKind(
  spec: DatasetSpec,
  matrices: readonly MatrixProfile[],
  evidence: readonly SignalEvidence[],
): KindDecision {
  const each = matrices.map((matrix, i) => matrixKind(spec, matrix, evidence[i]))
  const matrix = Math.max(
    0,
    each.findIndex(({ kind }) => kind !== 'table'),
  )
  const { kind, reason } = each[matrix]
  const which = matrices.length > 1 ? `matrix ${matrix} of ${matrices.length}: ` : ''
  return { kind, matrix, reason: which + reason, kinds: each.map((own) => own.kind) }
}

function matrixKind(
  spec: DatasetSpec,
  matrix: MatrixProfile,
  evidence: SignalEvidence,
): { kind: Kind; reason: string } {
  const { rows, cols, format } = matrix.spec
  const steps = spec.sequenceSize
  if (format === 'COMPRESSED') {
    if (steps === 1) return { kind: 'image', reason: 'each example is one encoded picture' }
    return { kind: 'video', reason: `each example is a sequence of ${steps > 0 ? steps : 'several'} encoded pictures` }
  }
  if (format === 'SPARSE')
    return { kind: 'table', reason: `sparse features, ${percent(matrix.density)} of them stored` }
  if (steps !== 1)
    return rows === 1 && cols === 1 ? scalarSequence(spec, matrix, evidence) : matrixSequence(matrix, evidence)
  if (rows < 0 || cols < 0) return openMatrix(matrix)
  if (rows === 1 || cols === 1) return vector(matrix, evidence)
  return grid(matrix, evidence)
}

/** One or several channels at each of many steps: text, audio or series. */
function scalarSequence(
  spec: DatasetSpec,
  matrix: MatrixProfile,
  evidence: SignalEvidence,
): { kind: Kind; reason: string } {
  const { channels } = matrix
  if (channels > 1) return { kind: 'series', reason: `${channels} channels at each step` }
  const words = spec.vocabulary.length
  if (words > channels && matrix.integral) {
    return { kind: 'text', reason: `one token id a step, with a vocabulary of ${words} in channel_to_index_map` }
  }
  const { median } = matrix.steps
  const distinct = matrix.values.max - matrix.values.min
  if (
    matrix.integral &&
    matrix.values.min >= 0 &&
    distinct >= 20 &&
    Math.abs(evidence.autocorrelation) < MAX_TOKEN_CORRELATION
  ) {
    return { kind: 'text', reason: 'one whole number a step, neighbours unrelated: token ids without a vocabulary' }
  }
  const oscillates = evidence.crossings >= MIN_CROSSINGS && (evidence.offset < 0.5 || median >= LONG_CLIP)
  const fewIntegers = matrix.integral && distinct < 20
  if (oscillates && !fewIntegers && (median >= LONG_CLIP || (varies(matrix.steps) && median >= MIN_CLIP))) {
    return {
      kind: 'audio',
      reason: `one value a step, about ${median} steps that oscillate around ${evidence.offset < 0.5 ? 'zero' : 'their mean'}: a waveform`,
    }
  }
  const why = median < MIN_CLIP ? `only about ${median} steps` : 'it does not oscillate as a waveform does'
  return { kind: 'series', reason: `one value a step, but ${why}` }
}

/** A matrix at each of many steps: video or series. */
function matrixSequence(matrix: MatrixProfile, evidence: SignalEvidence): { kind: Kind; reason: string } {
  const { spec } = matrix
  const size = `${extent(spec.rows)}x${extent(spec.cols)}`
  if (varies(matrix.rows) || varies(matrix.cols)) {
    return { kind: 'video', reason: `${size} values at each step of a sequence, in sizes that vary as pictures' do` }
  }
  if (spec.rows === 1 || spec.cols === 1) {
    return { kind: 'series', reason: `${size} values at each step of a sequence` }
  }
  if (spec.hasLocalityRow || spec.hasLocalityCol) {
    return { kind: 'video', reason: `${size} values with locality at each step of a sequence` }
  }
  if (!isOrdered(spec, 'row') && !isOrdered(spec, 'col') && looksLikePicture(matrix, evidence)) {
    return { kind: 'video', reason: `${size} values at each step of a sequence; ${UNFLAGGED_PICTURE}` }
  }
  return { kind: 'series', reason: `${size} values without locality at each step: channels of a series` }
}

/** One step of rows or columns whose number varies by example: only series and pictures are brought to one size. */
function openMatrix({ spec, rows, cols }: MatrixProfile): { kind: Kind; reason: string } {
  if (spec.rows < 0 && spec.cols < 0) {
    if (rows.max > 1) return { kind: 'image', reason: 'rows and columns vary by example, as those of pictures' }
    return { kind: 'series', reason: 'any number of values by example, not told apart into rows: steps of a series' }
  }
  const rowsOpen = spec.rows < 0
  const along = rowsOpen ? 'rows' : 'columns'
  if ((rowsOpen ? spec.cols : spec.rows) === 1) {
    return { kind: 'series', reason: `the number of ${along} varies by example: steps of a series` }
  }
  const open = isOrdered(spec, rowsOpen ? 'row' : 'col')
  const other = isOrdered(spec, rowsOpen ? 'col' : 'row')
  // Without flags of its own the longer axis is read as time (families/fronts/series-view.ts), and channels may not vary.
  const longer = rowsOpen ? rows.max > cols.max : cols.max > rows.max
  if (!other && (open || longer)) {
    const channels = rowsOpen ? 'columns' : 'rows'
    return {
      kind: 'series',
      reason: `the number of ${along} varies by example: steps of a series; ${channels} are channels`,
    }
  }
  return { kind: 'image', reason: `the number of ${along} varies by example, as in pictures of several sizes` }
}

/** One row or column of values: table, or series if their order is said (or, where flags say nothing, seen) to matter. */
function vector(matrix: MatrixProfile, evidence: SignalEvidence): { kind: Kind; reason: string } {
  const { spec } = matrix
  const along = spec.rows === 1 ? 'columns' : 'rows'
  const length = spec.rows === 1 ? spec.cols : spec.rows
  if (length === 1) return { kind: 'table', reason: 'a single value' }
  const ordered = spec.rows === 1 ? isOrdered(spec, 'col') : isOrdered(spec, 'row')
  if (!ordered) return { kind: 'table', reason: `${length} features; neither locality nor sequence along them` }
  if (!sameFlags(spec)) return { kind: 'series', reason: `${length} ${along} that are ${orderWords(spec, along)}` }
  if (evidence.neighbours > SERIES_CORRELATION) {
    return {
      kind: 'series',
      reason: `both axes have the same flags, which says little, but neighbouring ${along} move together as in a series`,
    }
  }
  return {
    kind: 'table',
    reason: `one step of ${length} features; both axes have the same flags, which says nothing, so the shape decides`,
  }
}

/** Rows x columns, one step: image, series or table. */
function grid(matrix: MatrixProfile, evidence: SignalEvidence): { kind: Kind; reason: string } {
  const { spec } = matrix
  const size = `${spec.rows}x${spec.cols}`
  const row = isOrdered(spec, 'row')
  const col = isOrdered(spec, 'col')
  if (row && col) return { kind: 'image', reason: `${size} values with an order along both axes` }
  if (row)
    return { kind: 'series', reason: `${spec.rows} rows that are ${orderWords(spec, 'rows')}; columns are channels` }
  if (col)
    return { kind: 'series', reason: `${spec.cols} columns that are ${orderWords(spec, 'columns')}; rows are channels` }
  if (looksLikePicture(matrix, evidence)) return { kind: 'image', reason: `${size} values; ${UNFLAGGED_PICTURE}` }
  return { kind: 'table', reason: `${size} values; neither locality nor sequence on either axis` }
}

const UNFLAGGED_PICTURE = 'no flags are set, but neighbouring values along both axes move together as in a picture'

/** For matrices without any flag. */
function looksLikePicture({ rows, cols }: MatrixProfile, { cells }: SignalEvidence): boolean {
  if (Math.min(rows.min, cols.min) < MIN_PICTURE_SIDE) return false
  const near = Math.min(cells.right, cells.lower)
  return near > PICTURE_CORRELATION && near > cells.far + PICTURE_MARGIN
}

function isOrdered(spec: MatrixSpec, axis: 'row' | 'col'): boolean {
  return axis === 'row' ? spec.isSequenceRow || spec.hasLocalityRow : spec.isSequenceCol || spec.hasLocalityCol
}

function sameFlags(spec: MatrixSpec): boolean {
  return spec.isSequenceRow === spec.isSequenceCol && spec.hasLocalityRow === spec.hasLocalityCol
}

function orderWords(spec: MatrixSpec, along: string): string {
  const sequence = along === 'rows' ? spec.isSequenceRow : spec.isSequenceCol
  const locality = along === 'rows' ? spec.hasLocalityRow : spec.hasLocalityCol
  if (sequence && locality) return 'a sequence with locality'
  return sequence ? 'a sequence' : 'local (neighbours belong together)'
}

function varies({ min, max }: Extent): boolean {
  return min !== max
}

function extent(size: number): string {
  return size < 0 ? 'any' : String(size)
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`
}
