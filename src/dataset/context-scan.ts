// Ids and labels of all records of a split, collected while its index is made. Labels are checked here, once, against
// the specification. Test labels are never looked at.
import { DataError } from '../support/errors.ts'
import { type ExampleContext, emptyContext, readContext } from './context.ts'
import { recordError } from './rows.ts'
import { type RecordIndex, type RecordVisitor, readRecords, recordPlace } from './tfrecord.ts'
import { type Wire, WireError, wireOver } from './wire.ts'

/** Labels of n examples as compressed sparse rows: example i has classes index[start[i] .. start[i + 1]). */
export interface LabelLists {
  /** [n + 1] */
  start: Int32Array
  index: Int32Array
  /** In [0, 1]. */
  score: Float32Array
}

interface LabelFault {
  record: number
  field: string
  value: unknown
  rule: string
}

export class ContextScan implements RecordVisitor {
  /** [records], NaN where a record has no id. */
  ids = new Float64Array(1024)
  /** Whether every record has an id. */
  allIds = true
  readonly #labelled: boolean
  readonly #outputDim: number
  #records = 0
  /** Labels in the order in which records were seen; record i has #counts[i] from #starts[i] on. */
  #labels = 0
  #index = new Int32Array(1024)
  #score = new Float32Array(1024)
  #counts = new Int32Array(1024)
  #starts = new Int32Array(1025)
  /** Records whose context does not lie in their first bytes: read whole afterwards. */
  readonly #late: number[] = []
  readonly #context = emptyContext()
  /** Faults wait until the index can name their place. */
  #brokenRecord: { record: number; error: unknown } | null = null
  #labelFault: LabelFault | null = null

  constructor(labelled: boolean, outputDim: number) {
    this.#labelled = labelled
    this.#outputDim = outputDim
  }

  visit(wire: Wire, start: number, end: number, whole: boolean, record: number): void {
    if (record === this.ids.length) this.#grow(record * 2)
    this.#records = record + 1
    try {
      if (readContext(wire, start, end, whole, this.#context)) this.#keep(record, this.#context)
      else {
        this.#late.push(record)
        this.#starts[record + 1] = this.#labels
      }
    } catch (error) {
      this.#brokenRecord ??= { record, error }
    }
  }

  /** Reads what was not at hand yet. @throws DATA_RECORD, DATA_LABEL */
  finish(index: RecordIndex): void {
    for (const group of readRecords(index, this.#late, true)) {
      const wire = wireOver(group.bytes)
      for (let i = 0; i < group.items.length; i++) {
        const record = this.#late[group.items[i]]
        try {
          readContext(wire, group.starts[i], group.ends[i], true, this.#context)
          this.#keep(record, this.#context)
        } catch (error) {
          this.#brokenRecord ??= { record, error }
        }
      }
    }
    if (this.#brokenRecord !== null) {
      throw recordError(this.#brokenRecord.error, index, this.#brokenRecord.record, 'context')
    }
    if (this.#labelFault !== null) {
      const { record, ...fault } = this.#labelFault
      throw new DataError('DATA_LABEL', { ...recordPlace(index, record), ...fault })
    }
  }

  lists(): LabelLists {
    const index = this.#index.subarray(0, this.#labels)
    const score = this.#score.subarray(0, this.#labels)
    if (this.#late.length === 0) return { start: this.#starts.subarray(0, this.#records + 1), index, score }
    const lists: LabelLists = {
      start: new Int32Array(this.#records + 1),
      index: new Int32Array(this.#labels),
      score: new Float32Array(this.#labels),
    }
    for (let i = 0, to = 0; i < this.#records; i++) {
      const from = this.#starts[i]
      lists.index.set(index.subarray(from, from + this.#counts[i]), to)
      lists.score.set(score.subarray(from, from + this.#counts[i]), to)
      lists.start[i + 1] = to += this.#counts[i]
    }
    return lists
  }

  #keep(record: number, context: ExampleContext): void {
    this.ids[record] = context.id
    if (Number.isNaN(context.id)) this.allIds = false
    if (!this.#labelled) return
    const { labelCount, labelIndex, labelScore, scoreCount } = context
    if (scoreCount !== labelCount && scoreCount !== 0) {
      throw new WireError(`label_score has ${scoreCount} entries; must be as many as label_index has (${labelCount})`)
    }
    while (this.#labels + labelCount > this.#index.length) {
      this.#index = grown(this.#index, new Int32Array(this.#index.length * 2))
      this.#score = grown(this.#score, new Float32Array(this.#score.length * 2))
    }
    this.#starts[record] = this.#labels
    this.#counts[record] = labelCount
    for (let i = 0; i < labelCount; i++) {
      const label = labelIndex[i]
      const score = scoreCount === 0 ? 1 : labelScore[i]
      if (!(label >= 0 && label < this.#outputDim && Number.isInteger(label))) {
        const rule = `must be a whole number from 0 to output_dim - 1 = ${this.#outputDim - 1}`
        this.#labelFault ??= { record, field: 'label_index', value: label, rule }
      }
      if (!(score >= 0 && score <= 1)) {
        this.#labelFault ??= { record, field: 'label_score', value: score, rule: 'must be from 0 to 1' }
      }
      this.#index[this.#labels] = label
      this.#score[this.#labels++] = score
    }
    this.#starts[record + 1] = this.#labels
  }

  #grow(size: number): void {
    this.ids = grown(this.ids, new Float64Array(size))
    this.#counts = grown(this.#counts, new Int32Array(size))
    this.#starts = grown(this.#starts, new Int32Array(size + 1))
  }
}

function grown<A extends Int32Array | Float32Array | Float64Array>(from: A, to: A): A {
  to.set(from)
  return to
}
