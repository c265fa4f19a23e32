// Which model.onnx is meant: a file, a milestone folder, or a run folder with the milestone that was in force at a time.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DataError } from '../../support/errors.ts'
import { formatDuration } from '../../support/units.ts'

export interface FoundModel {
  path: string
  /** Index of the milestone, where the model lies in a run folder. */
  milestone: number | null
  /** When it was published, milliseconds since the run's start; null when that is not known. */
  publishedMs: number | null
}

/**
 * @param atMs only milestones published by then count; null: the newest
 * @throws DATA_MISSING naming what was looked for
 */
export function findModel(path: string, atMs: number | null): FoundModel {
  if (!existsSync(path)) throw missing(path, 'does not exist')
  if (statSync(path).isFile()) return { path, milestone: null, publishedMs: null }
  const own = join(path, 'model.onnx')
  if (existsSync(own)) return { path: own, milestone: null, publishedMs: null }
  const milestones = join(path, 'milestones')
  if (!existsSync(milestones)) throw missing(path, 'is neither a run folder nor a model.onnx')
  const found = atMs === null ? newest(path) : inForceAt(milestones, atMs)
  if (found !== null) return found
  const rule = atMs === null ? 'has no published model yet' : `had no model ${formatDuration(atMs)} after its start`
  throw missing(path, rule)
}

/** As the file `latest` says: what is not named there may be in the making. */
function newest(run: string): FoundModel | null {
  const pointer = join(run, 'latest')
  if (!existsSync(pointer)) return null
  const name = basename(readFileSync(pointer, 'utf8').trim())
  return describe(join(run, 'milestones'), name)
}

function inForceAt(milestones: string, atMs: number): FoundModel | null {
  const inTime = readdirSync(milestones)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => describe(milestones, name))
    .filter((model) => model !== null && model.publishedMs !== null && model.publishedMs <= atMs)
    .sort((a, b) => a!.publishedMs! - b!.publishedMs!)
  return inTime.at(-1) ?? null
}

function describe(milestones: string, name: string): FoundModel | null {
  const path = join(milestones, name, 'model.onnx')
  if (!existsSync(path)) return null
  const facts = JSON.parse(readFileSync(join(milestones, name, 'milestone.json'), 'utf8')) as { timeMs?: number }
  return { path, milestone: Number(name), publishedMs: facts.timeMs ?? null }
}

function missing(file: string, rule: string): DataError {
  return new DataError('DATA_MISSING', { file, rule, hint: 'give a run folder of automl fit, or a model.onnx' })
}
