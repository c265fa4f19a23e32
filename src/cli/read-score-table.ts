// Reads the challenge's score tables: predictions (`<task>.predict_k`) and solutions, a line of K numbers per test example.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { DataError } from '../support/errors.ts'

export interface ScoreTable {
  /** [n, K] row-major. */
  scores: Float32Array
  count: number
  classCount: number
}

/** @throws DATA_MISSING, DATA_RECORD naming file, line, value and rule */
export function readScoreTable(path: string): ScoreTable {
  const lines = readText(path).split('\n')
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop()
  if (lines.length === 0) throw new DataError('DATA_EMPTY', { file: path, rule: 'holds no scores' })
  const classCount = numbersOf(lines[0]).length
  const scores = new Float32Array(lines.length * classCount)
  lines.forEach((line, i) => {
    const numbers = numbersOf(line)
    const fault = (value: unknown, rule: string) =>
      new DataError('DATA_RECORD', { file: basename(path), line: i + 1, value, rule })
    if (numbers.length !== classCount)
      throw fault(`${numbers.length} numbers`, `must be ${classCount}, as in the first line`)
    numbers.forEach((word, k) => {
      const value = Number(word)
      if (!Number.isFinite(value)) throw fault(word, 'must be a finite number')
      scores[i * classCount + k] = value
    })
  })
  return { scores, count: lines.length, classCount }
}

function numbersOf(line: string): string[] {
  const trimmed = line.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new DataError('DATA_MISSING', { file: path, rule: 'cannot be read', cause })
  }
}
