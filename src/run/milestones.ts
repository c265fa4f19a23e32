// Publishing: a milestone's folder appears whole by rename, then the challenge's prediction file, then `latest` moves. Killed in
// between, the next session finishes what was begun (finishMilestones): a folder without its prediction is completed from its own
// files, so that nothing that was visible is ever lost, and nothing is half there.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { listFolder } from '../search/member-files.ts'
import type { Quality } from '../search/quality.ts'
import { isStaged, outputWriteError, stagedPath, syncFolder, writeFileAtomic } from '../support/atomic-file.ts'
import { milestoneName, type RunFolder, readLatest } from './folder.ts'
import { decodePredictions, encodePredictions } from './predictions-file.ts'
import { appendTime, formatScores, predictionNumbers, predictionPath } from './protocol.ts'

export const MILESTONE_VERSION = 1

/** milestone.json */
export interface MilestoneFacts {
  v: number
  index: number
  /** Milliseconds on the run's time axis. */
  timeMs: number
  /** 'fallback': class frequencies, because no model was ready. */
  reason: 'first' | 'better' | 'planned' | 'final' | 'fallback'
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

/**
 * Returns the time that the prediction was given, unix seconds. Everything is written and fsynced at once under other names;
 * then three renames, each durable before the next, make it visible. @throws OUTPUT_WRITE: what was visible still is
 */
export async function publish(folder: RunFolder, milestone: Milestone, nowS: () => number): Promise<number> {
  const { facts, scores, testIds } = milestone
  const name = milestoneName(facts.index)
  const whole = join(folder.milestones, name)
  const staged = join(folder.milestones, `.${name}-${process.pid}`)
  const prediction = predictionPath(folder.predictions, facts.task, facts.index)
  const [stagedPrediction, stagedLatest] = [stagedPath(prediction), stagedPath(folder.latest)]
  try {
    mkdirSync(staged, { recursive: true })
    await Promise.all([
      writeSynced(join(staged, 'model.onnx'), milestone.model),
      writeSynced(stagedPrediction, formatScores(scores, facts.classNames.length)),
      writeSynced(stagedLatest, `${name}\n`),
      writeSynced(join(staged, 'milestone.json'), `${JSON.stringify(facts, null, 2)}\n`),
      writeSynced(join(staged, 'predictions.arrow'), encodePredictions(testIds, scores, facts.classNames)),
    ])
    syncFolder(staged)
    renameSync(staged, whole)
    syncFolder(folder.milestones)
    renameSync(stagedPrediction, prediction)
    const time = nowS()
    appendTime(folder.predictions, facts.index, time)
    syncFolder(folder.predictions)
    renameSync(stagedLatest, folder.latest)
    syncFolder(folder.root)
    return time
  } catch (cause) {
    for (const leftover of [staged, stagedPrediction, stagedLatest]) {
      rmSync(leftover, { recursive: true, force: true })
    }
    throw outputWriteError(whole, cause)
  }
}

/** Off the main thread, so that several files are flushed at the same time. */
async function writeSynced(path: string, data: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
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

/** Removes what was begun but never made visible, by workers too: none may be at work. */
export function removeStaged(folder: RunFolder): void {
  const trials = listFolder(folder.trials).map((trial) => join(folder.trials, trial))
  for (const place of [folder.milestones, ...trials]) {
    for (const name of listFolder(place)) {
      if (name.startsWith('.')) rmSync(join(place, name), { recursive: true, force: true })
    }
  }
  for (const place of [folder.predictions, folder.root]) {
    for (const name of listFolder(place)) if (isStaged(name)) rmSync(join(place, name), { force: true })
  }
}

/**
 * Completes what a killed session had begun: removes staged leftovers, writes missing predictions of whole milestones and moves
 * `latest` to the last. Returns the whole milestones, ascending.
 */
export function finishMilestones(folder: RunFolder): MilestoneFacts[] {
  removeStaged(folder)
  const all = milestoneIndices(folder).map((index) => readMilestone(folder, index))
  for (const facts of all) {
    const path = predictionPath(folder.predictions, facts.task, facts.index)
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
      if (k > last.index) rmSync(predictionPath(folder.predictions, last.task, k), { force: true })
    }
  }
  return all
}
