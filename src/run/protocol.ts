// The ingestion protocol of the AutoDL challenge (dataset format, section 4), as its public scorer reads it: start.txt with
// the start time and a line `k: time` per prediction, <task>.predict_k with one line of scores per test example, end.txt.
// The time of prediction k is when it became visible here. Times are unix seconds.
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../support/atomic-file.ts'

export interface ProtocolStart {
  pid: number
  task: string
  budgetS: number
  startTimeS: number
}

export interface ProtocolEnd {
  durationS: number
  success: boolean
  endTimeS: number
}

/** `times`: of predictions that exist already (an earlier session's), shifted onto this session's start. */
export function writeStart(folder: string, start: ProtocolStart, times: readonly number[] = []): void {
  const head = `ingestion_pid: ${start.pid}\ntask_name: ${start.task}\ntime_budget: ${start.budgetS}\nstart_time: ${start.startTimeS.toFixed(6)}\n`
  writeFileAtomic(join(folder, 'start.txt'), head + times.map((time, k) => timeLine(k, time)).join(''))
}

export function predictionPath(folder: string, task: string, k: number): string {
  return join(folder, `${task}.predict_${k}`)
}

/** Says in start.txt when prediction k became visible. */
export function appendTime(folder: string, k: number, timeS: number): void {
  appendFileSync(join(folder, 'start.txt'), timeLine(k, timeS))
}

export function writeEnd(folder: string, end: ProtocolEnd): void {
  writeFileAtomic(
    join(folder, 'end.txt'),
    `ingestion_duration: ${end.durationS.toFixed(6)}\ningestion_success: ${end.success ? 1 : 0}\nend_time: ${end.endTimeS.toFixed(6)}\n`,
  )
}

/** Start time and prediction times of a folder; torn or unknown lines are skipped. */
export function readStart(folder: string): { startTimeS: number; timesS: Map<number, number> } {
  let startTimeS = Number.NaN
  const timesS = new Map<number, number>()
  for (const line of readFileSync(join(folder, 'start.txt'), 'utf8').split('\n')) {
    const match = /^(\w+): ([-+.\de]+)$/.exec(line)
    if (match === null) continue
    if (match[1] === 'start_time') startTimeS = Number(match[2])
    else if (/^\d+$/.test(match[1])) timesS.set(Number(match[1]), Number(match[2]))
  }
  return { startTimeS, timesS }
}

/** Prediction files that exist, by number. */
export function predictionNumbers(folder: string, task: string): number[] {
  const prefix = `${task}.predict_`
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b)
}

/** Numbers that are made text at once: 12 MB, far from the longest string there may be. */
const PIECE_NUMBERS = 2 ** 20

/** [n, K] as lines of K numbers with 6 significant digits, space-separated. UTF-8. */
export function formatScores(scores: Float32Array, classCount: number): Buffer {
  const count = scores.length / classCount
  const pieceLines = Math.max(1, Math.floor(PIECE_NUMBERS / classCount))
  const cells: string[] = new Array(classCount)
  const pieces: Buffer[] = []
  for (let from = 0; from < count; from += pieceLines) {
    let text = ''
    for (let i = from; i < Math.min(count, from + pieceLines); i++) {
      for (let k = 0; k < classCount; k++) cells[k] = shortNumber(scores[i * classCount + k])
      text += `${cells.join(' ')}\n`
    }
    pieces.push(Buffer.from(text))
  }
  return Buffer.concat(pieces)
}

/** As C's `%.6g` up to notation: `toPrecision` leaves trailing zeros, which cost bytes and nothing else. */
function shortNumber(x: number): string {
  return x === 0 ? '0' : x === 1 ? '1' : x.toPrecision(6)
}

function timeLine(k: number, timeS: number): string {
  return `${k}: ${timeS.toFixed(6)}\n`
}
