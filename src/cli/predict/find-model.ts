// Which model.onnx is meant: a file, or a run folder with the milestone that was in force at a time.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { milestoneName, type RunFolder, readLatest, runFolder } from '../../run/folder.ts'
import { type MilestoneFacts, milestoneIndices, readMilestone } from '../../run/milestones.ts'
import { DataError } from '../../support/errors.ts'
import { formatDuration } from '../../support/units.ts'

export interface FoundModel {
  path: string
  /** Index of the milestone, where the model lies in a run folder. */
  milestone: number | null
  /** When it was published, milliseconds since the run's start; null when that is not known. */
  publishedMs: number | null
  /** The classes that the model learned; null when only the file is there. */
  classNames: string[] | null
}

/**
 * @param atMs only milestones published by then count; null: the newest
 * @throws DATA_MISSING naming what was looked for
 */
export function findModel(path: string, atMs: number | null): FoundModel {
  if (!existsSync(path)) throw missing(path, 'does not exist')
  if (statSync(path).isFile()) return { path, milestone: null, publishedMs: null, classNames: siblingNames(path) }
  const folder = runFolder(path)
  if (!existsSync(folder.milestones)) throw missing(path, 'is neither a run folder nor a model.onnx')
  const found = atMs === null ? newest(folder) : inForceAt(folder, atMs)
  if (found !== null) return found
  const rule = atMs === null ? 'has no published model yet' : `had no model ${formatDuration(atMs)} after its start`
  throw missing(path, rule)
}

/** As the file `latest` says: what is not named there may be in the making. */
function newest(folder: RunFolder): FoundModel | null {
  const name = readLatest(folder)
  return name === null ? null : describe(folder, Number(name))
}

function inForceAt(folder: RunFolder, atMs: number): FoundModel | null {
  const models = milestoneIndices(folder).map((index) => describe(folder, index))
  return models.findLast((model) => model.publishedMs! <= atMs) ?? null
}

function describe(folder: RunFolder, index: number): FoundModel {
  const facts = readMilestone(folder, index)
  const path = join(folder.milestones, milestoneName(index), 'model.onnx')
  return { path, milestone: index, publishedMs: facts.timeMs, classNames: facts.classNames }
}

/** A model of a run lies beside its milestone.json. */
function siblingNames(model: string): string[] | null {
  const facts = join(dirname(model), 'milestone.json')
  return existsSync(facts) ? (JSON.parse(readFileSync(facts, 'utf8')) as MilestoneFacts).classNames : null
}

function missing(file: string, rule: string): DataError {
  return new DataError('DATA_MISSING', { file, rule, hint: 'give a run folder of automl fit, or a model.onnx' })
}
