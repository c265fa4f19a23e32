// Publishing: a milestone's folder appears whole by rename, then the challenge's prediction file, then `latest` moves. Killed in
// between, the next session finishes what was begun (finishMilestones): a folder without its prediction is completed from its own
// files, so that nothing that was visible is ever lost, and nothing is half there.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { listFolder } from '../search/member-files.ts'
import type { Quality } from '../search/quality.ts'
import { outputWriteError, syncFolder, writeFileAtomic, writeFileSynced } from '../support/atomic-file.ts'
import { milestoneName, type RunFolder, readLatest } from './folder.ts'
import { decodePredictions, encodePredictions } from './predictions-file.ts'
import { formatScores, predictionNumbers, writePrediction } from './protocol.ts'

export const MILESTONE_VERSION = 1

/** milestone.json */
export interface MilestoneFacts {
  v: number
  index: number
  /** Milliseconds on the run's time axis. */
  timeMs: number
  reason: 'first' | 'better' | 'planned' | 'final'
  /** On the validation rows; null: not validated. */
  quality: Quality | null
  blend: 'mean' | 'rank'
  members: { trial: string; member: string; family: string; trainedOn: string; weight: number }[]
  task: string
  classNames: string[]
}

export interface Milestone {
  facts: MilestoneFacts
  /** The ONNX file. */
  model: Uint8Array
  testIds: Float64Array
  /** [n, K] */
  scores: Float32Array
}

/** Returns the time that the prediction was given, unix seconds. @throws OUTPUT_WRITE: nothing has changed */
export function publish(folder: RunFolder, milestone: Milestone, nowS: () => number): number {
  const { facts } = milestone
  const name = milestoneName(facts.index)
  const whole = join(folder.milestones, name)
  const staged = join(folder.milestones, `.${name}-${process.pid}`)
  try {
    mkdirSync(staged, { recursive: true })
    writeFileSynced(join(staged, 'model.onnx'), milestone.model)
    writeFileSynced(
      join(staged, 'predictions.arrow'),
      encodePredictions(milestone.testIds, milestone.scores, facts.classNames),
    )
    writeFileSynced(join(staged, 'milestone.json'), `${JSON.stringify(facts, null, 2)}\n`)
    syncFolder(staged)
    renameSync(staged, whole)
    syncFolder(folder.milestones)
  } catch (cause) {
    rmSync(staged, { recursive: true, force: true })
    throw outputWriteError(whole, cause)
  }
  const time = writePrediction(
    folder.predictions,
    facts.task,
    facts.index,
    milestone.scores,
    facts.classNames.length,
    nowS,
  )
  writeFileAtomic(folder.latest, `${name}\n`)
  return time
}

/** Indices of whole milestones, ascending. */
export function milestoneIndices(folder: RunFolder): number[] {
  return listFolder(folder.milestones)
    .filter((name) => /^\d{4,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}

export function readMilestone(folder: RunFolder, index: number): MilestoneFacts {
  return JSON.parse(readFileSync(join(folder.milestones, milestoneName(index), 'milestone.json'), 'utf8'))
}

/**
 * Completes what a killed session had begun: removes staged leftovers, writes missing predictions of whole milestones and moves
 * `latest` to the last. Returns the whole milestones, ascending.
 */
export function finishMilestones(folder: RunFolder): MilestoneFacts[] {
  for (const name of listFolder(folder.milestones)) {
    if (name.startsWith('.')) rmSync(join(folder.milestones, name), { recursive: true, force: true })
  }
  const all = milestoneIndices(folder).map((index) => readMilestone(folder, index))
  for (const facts of all) {
    const path = join(folder.predictions, `${facts.task}.predict_${facts.index}`)
    if (existsSync(path)) continue
    const arrow = readFileSync(join(folder.milestones, milestoneName(facts.index), 'predictions.arrow'))
    writeFileAtomic(path, formatScores(decodePredictions(arrow).scores, facts.classNames.length))
  }
  const last = all.at(-1)
  if (last !== undefined && readLatest(folder) !== milestoneName(last.index)) {
    writeFileAtomic(folder.latest, `${milestoneName(last.index)}\n`)
  }
  if (last !== undefined) {
    for (const k of predictionNumbers(folder.predictions, last.task)) {
      if (k > last.index) rmSync(join(folder.predictions, `${last.task}.predict_${k}`), { force: true })
    }
  }
  return all
}
