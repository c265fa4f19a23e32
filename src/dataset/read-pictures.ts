// COMPRESSED matrices of chosen rows -> DenseBatch of uint8 pictures at their own sizes. Sizes come from the pictures, never
// from row_count and col_count (some files state width and height the other way round). Frames of one video are padded to
// its largest. An unreadable picture becomes a black one and its row is reported; too many of them end the reading.
// Where few steps are asked for, the pictures at others are not decoded, and faults in them not found.
import pLimit from 'p-limit'
import { DataError } from '../support/errors.ts'
import type { DenseBatch } from './batch.ts'
import { middlesOfFixed, middlesOfVarying } from './middle-steps.ts'
import type { PictureHeader } from './picture-header.ts'
import {
  decodePicture,
  decodePicturePooled,
  inspectPicture,
  isLargePicture,
  loadGifDecoder,
  PictureError,
  type Pixels,
  writePixels,
} from './pictures.ts'
import { ascendingOrder, recordError, visitRows } from './rows.ts'
import { findFeatureList, readByteStrings } from './sequence-example.ts'
import type { DatasetSpec } from './spec.ts'
import { type RecordIndex, readRecords, recordPlace } from './tfrecord.ts'
import { type Span, type Wire, WireError, wireOver } from './wire.ts'

/** Share of a split's examples that may have unreadable pictures; one may in any split that has others. */
const MAX_UNREADABLE_SHARE = 0.01
/** Pictures given to the thread pool at a time: enough to keep it busy while this thread computes on others for a while. */
const POOLED_AT_A_TIME = { min: 4, max: 64, bytes: 24e6 }

/** Rows of a split found unreadable so far, with the fault of each. */
export type UnreadableRows = Map<number, DataError>

/** Of one picture as decoded, where that needs no change; null: black so far. */
interface Example {
  pixels: Uint8Array | null
  shape: number[]
}

interface Frame {
  span: Span
  header: PictureHeader
}

/**
 * @param steps only so many pictures of each example, chosen by middle-steps.ts. @default all
 * @throws DATA_RECORD; DATA_PICTURE when over 1 % of the split's examples, and more than one, are unreadable
 */
export async function readPictureRows(
  index: RecordIndex,
  spec: DatasetSpec,
  matrix: number,
  rows: Int32Array,
  unreadable: UnreadableRows,
  steps?: number,
): Promise<DenseBatch> {
  const { rows: rowCount, cols, channels } = spec.matrices[matrix]
  const field = `${matrix}_compressed`
  const key = Buffer.from(field)
  const order = ascendingOrder(rows)
  const sorted = order === null ? rows : order.map((position) => rows[position])
  const examples: Example[] = new Array(rows.length)
  const limit = pLimit(POOLED_AT_A_TIME.max)

  for (const group of readRecords(index, sorted, false)) {
    const wire = wireOver(group.bytes)
    const pending: Promise<void>[] = []
    for (let i = 0; i < group.items.length; i++) {
      const item = group.items[i]
      const row = sorted[item]
      const position = order === null ? item : order[item]
      const reject = (error: unknown): void => {
        if (!(error instanceof PictureError)) throw recordError(error, index, row, field)
        examples[position] = blackExample(steps ?? spec.sequenceSize, rowCount, cols, channels)
        addUnreadable(index, row, field, error, unreadable)
      }
      try {
        const frames = inspectFrames(wire, { start: group.starts[i], end: group.ends[i] }, key, spec.sequenceSize)
        if (frames.some((frame) => frame.header.format === 'gif')) await loadGifDecoder()
        const chosen = chosenFrames(frames, spec.sequenceSize, steps)
        const example = emptyExample(frames, steps ?? spec.sequenceSize, rowCount, cols, channels)
        examples[position] = example
        const place = (frame: Frame, t: number, pixels: Pixels) =>
          writeFrame(example, t, frame.header, pixels, channels)
        if (frames.some((frame) => isLargePicture(frame.header))) {
          limit.concurrency = Math.min(limit.concurrency, roomFor(frames))
          const decoded = chosen.map((frame, t) =>
            limit(async () => {
              if (frame === null) return
              const bytes = group.bytes.subarray(frame.span.start, frame.span.end)
              place(
                frame,
                t,
                await (frame.header.format === 'gif' ? decodePicture : decodePicturePooled)(bytes, frame.header),
              )
            }),
          )
          const done = Promise.all(decoded).then(() => undefined, reject)
          done.catch(() => undefined) // awaited below, unless an earlier fault ends the reading first
          pending.push(done)
        } else {
          for (const [t, frame] of chosen.entries()) {
            if (frame === null) continue
            const { span, header } = frame
            place(frame, t, decodePicture(group.bytes.subarray(span.start, span.end), header))
          }
        }
      } catch (error) {
        reject(error)
      }
    }
    await Promise.all(pending)
  }
  return concatenate(examples)
}

/**
 * [rows.length, 4] steps, rows, cols and channels of the examples as `readPictureRows` gives them whole, by the headers of their
 * pictures: none is decoded. Where a header is unreadable, of the black example that stands for it.
 * @throws DATA_RECORD
 */
export function readPictureShapes(index: RecordIndex, spec: DatasetSpec, matrix: number, rows: Int32Array): Int32Array {
  const { rows: rowCount, cols, channels } = spec.matrices[matrix]
  const field = `${matrix}_compressed`
  const key = Buffer.from(field)
  const shapes = new Int32Array(rows.length * 4)
  visitRows(index, rows, field, (wire, record, position) => {
    let frames: Frame[] = []
    try {
      frames = inspectFrames(wire, record, key, spec.sequenceSize)
    } catch (error) {
      if (!(error instanceof PictureError)) throw error
    }
    shapes.set(emptyExample(frames, spec.sequenceSize, rowCount, cols, channels).shape, position * 4)
  })
  return shapes
}

function inspectFrames(wire: Wire, record: Span, key: Uint8Array, steps: number): Frame[] {
  const list = findFeatureList(wire, record.start, record.end, key)
  if (list === null) throw new WireError('is missing')
  const spans = readByteStrings(wire, list)
  if (spans.length === 0) throw new PictureError('holds no picture')
  if (steps > 0 && spans.length > steps) {
    throw new WireError(`holds ${spans.length} pictures; must be at most sequence_size ${steps}`)
  }
  return spans.map((span) => ({ span, header: inspectPicture(wire.bytes.subarray(span.start, span.end)) }))
}

/** The frames to decode, null where the video has ended by then. */
function chosenFrames(frames: Frame[], sequenceSize: number, steps: number | undefined): (Frame | null)[] {
  if (steps === undefined) return frames
  const at = sequenceSize > 0 ? middlesOfFixed(sequenceSize, steps) : middlesOfVarying(frames.length, steps)
  return at.map((t) => frames[t] ?? null)
}

/** How many pictures of the largest size among these may be in the thread pool. */
function roomFor(frames: Frame[]): number {
  const bytes = Math.max(...frames.map(({ header }) => header.width * header.height)) * 4
  const { min, max, bytes: all } = POOLED_AT_A_TIME
  return Math.max(min, Math.min(max, Math.floor(all / bytes)))
}

/** Black until the frames are written: [steps, largest height, largest width, channels]. */
function emptyExample(frames: Frame[], steps: number, rowCount: number, colCount: number, channels: number): Example {
  if (frames.length === 0) return blackExample(steps, rowCount, colCount, channels)
  const rows = Math.max(...frames.map((frame) => frame.header.height))
  const cols = Math.max(...frames.map((frame) => frame.header.width))
  return { pixels: null, shape: [steps > 0 ? steps : frames.length, rows, cols, channels] }
}

function blackExample(steps: number, rows: number, cols: number, channels: number): Example {
  return { pixels: null, shape: [Math.max(1, steps), Math.max(1, rows), Math.max(1, cols), channels] }
}

function sizeOf({ shape }: Example): number {
  return shape[0] * shape[1] * shape[2] * shape[3]
}

function writeFrame(example: Example, t: number, header: PictureHeader, pixels: Pixels, channels: number): void {
  const [steps, rows, cols] = example.shape
  if (steps === 1 && pixels.channels === channels) {
    example.pixels = pixels.data
    return
  }
  example.pixels ??= new Uint8Array(sizeOf(example))
  const start = t * rows * cols * channels
  if (header.width === cols) {
    writePixels(pixels, channels, example.pixels, start)
    return
  }
  const stride = header.width * pixels.channels
  for (let row = 0; row < header.height; row++) {
    const line = { data: pixels.data.subarray(row * stride, (row + 1) * stride), channels: pixels.channels }
    writePixels(line, channels, example.pixels, start + row * cols * channels)
  }
}

function addUnreadable(
  index: RecordIndex,
  row: number,
  field: string,
  error: PictureError,
  unreadable: UnreadableRows,
): void {
  const fault = { ...recordPlace(index, row), field, rule: error.message, cause: error }
  unreadable.set(row, new DataError('DATA_PICTURE', fault))
  const allowed = Math.max(1, MAX_UNREADABLE_SHARE * index.count)
  if (unreadable.size <= allowed && unreadable.size < index.count) return
  const most = index.count === 1 ? 'none' : allowed === 1 ? 'one' : '1 %'
  const share = `${unreadable.size} of ${index.count} examples have unreadable pictures; at most ${most} may`
  throw new DataError('DATA_PICTURE', { ...fault, rule: `${error.message} (${share})` })
}

function concatenate(examples: Example[]): DenseBatch {
  const offsets = new Float64Array(examples.length + 1)
  const shapes = new Int32Array(examples.length * 4)
  for (let i = 0; i < examples.length; i++) {
    offsets[i + 1] = offsets[i] + sizeOf(examples[i])
    shapes.set(examples[i].shape, i * 4)
  }
  const [only] = examples
  // Of one long video there is no room for a second copy.
  if (examples.length === 1 && only.shape[0] > 1 && only.pixels !== null) {
    return { layout: 'dense', data: only.pixels, offsets, shapes }
  }
  const data = new Uint8Array(offsets[examples.length])
  for (const [i, example] of examples.entries()) {
    if (example.pixels !== null) data.set(example.pixels, offsets[i])
    example.pixels = null // held no longer than needed: pictures may be large
  }
  return { layout: 'dense', data, offsets, shapes }
}
