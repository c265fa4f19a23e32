// What a worker knows about its task: the data, their profile, which rows teach and which judge, the families that apply. The
// same in every worker of a run, because everything random in it comes from the run's seed.
import { type Dataset, openDataset } from '../../dataset/dataset.ts'
import { planValidation, stratifiedSample } from '../../dataset/plan.ts'
import { profileDataset, type TaskProfile } from '../../dataset/profile.ts'
import type { ValidationPlan } from '../../families/family.ts'
import { Rng } from '../../support/rng.ts'

export interface Task {
  dataset: Dataset
  profile: TaskProfile
  plan: ValidationPlan
  /** Rows for the first model, outside every validation row of a holdout. */
  sample: Int32Array
  /** [trainCount, K] */
  labels: Float32Array
  counts: { train: number; test: number }
}

/** Decoded bytes of the sample: what the first model may cost in reading. */
const SAMPLE_BYTES = 4e6
const SAMPLE_ROWS = { min: 100, max: 1000, limit: 2000 }
/** Many classes share a sample: below so many examples each, first answers are much worse. */
const SAMPLE_ROWS_PER_CLASS = 70

/** @throws DATA_*: whatever makes the data unusable */
export async function openTask(path: string, seed: number): Promise<Task> {
  const dataset = openDataset(path)
  const profile = await profileDataset(dataset)
  const { labels } = dataset.train
  const rng = Rng.fromSeed(seed).split('plan')
  const twins = dataset.train.twins()
  const plan = planValidation(
    labels,
    profile.trainCount,
    profile.classCount,
    rng.split('validation'),
    twins,
    profile.trainBytes / Math.max(1, profile.trainCount),
  )
  const pool = plan.kind === 'holdout' ? plan.folds[0].train : allRows(profile.trainCount)
  const sample = stratifiedSample(labels, pool, profile.classCount, sampleSize(profile), rng.split('sample'))
  return {
    dataset,
    profile,
    plan,
    sample,
    labels,
    counts: { train: profile.trainCount, test: dataset.test?.count ?? 0 },
  }
}

function sampleSize(profile: TaskProfile): number {
  const perRow = profile.trainBytes / Math.max(1, profile.trainCount)
  const affordable = Math.floor(SAMPLE_BYTES / Math.max(1, perRow))
  // Every class should be met a few times, however many there are.
  const least = Math.max(SAMPLE_ROWS.min, 10 * profile.classCount)
  const most = Math.min(SAMPLE_ROWS.limit, Math.max(SAMPLE_ROWS.max, SAMPLE_ROWS_PER_CLASS * profile.classCount))
  return Math.max(least, Math.min(most, affordable))
}

export function allRows(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row)
}
