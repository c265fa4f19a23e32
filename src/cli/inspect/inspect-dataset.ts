// What `automl inspect` finds out: the task profile, a whole reading of every record (so that what is wrong is found now and not in
// the middle of a run), and the portfolio that a run would start with.
import { openDataset } from '../../dataset/dataset.ts'
import { profileDataset, type TaskProfile, valueWarnings } from '../../dataset/profile.ts'
import type { Split } from '../../dataset/split.ts'
import { chooseAtOnce } from '../../engine/devices/choose.ts'
import type { HyperParams } from '../../families/family.ts'
import { loadFamilies } from '../../families/registry.ts'

export interface SplitInspection {
  count: number
  files: number
  /** NaN and infinite values over all matrices. */
  missing: number
  infinite: number
  /** Examples with pictures that cannot be decoded. */
  unreadable: number
}

export interface PlannedTrial {
  family: string
  summary: string
  params: HyperParams
}

export interface Inspection {
  name: string
  folder: string
  kind: TaskProfile['kind']
  reason: string
  classCount: number
  multiLabel: boolean
  labelNames: string[]
  classCounts: number[]
  sequenceSize: number
  matrices: TaskProfile['matrices']
  vocabulary: TaskProfile['vocabulary']
  trainBytes: number
  train: SplitInspection
  test: SplitInspection | null
  warnings: string[]
  /** Where networks would train, and why there. */
  device: { engine: string; device: string; why: string }
  /** In the order of first tries. */
  portfolio: PlannedTrial[]
}

/** Decoded bytes that are read at a time. */
const CHUNK_BYTES = 64e6

/** @throws DATA_* for whatever would stop a run */
export async function inspectDataset(path: string): Promise<Inspection> {
  const dataset = openDataset(path)
  try {
    const profile = await profileDataset(dataset)
    const bytesPerExample = profile.trainBytes / Math.max(1, profile.trainCount)
    const train = await readWhole(dataset.train, profile, bytesPerExample, dataset.files.train.records.length)
    const test =
      dataset.test === null
        ? null
        : await readWhole(dataset.test, profile, bytesPerExample, dataset.files.test?.records.length ?? 0)
    const odd = [dataset.train, dataset.test].flatMap((split) => (split === null ? [] : valueWarnings(split)))
    return {
      name: dataset.files.name,
      folder: dataset.files.folder,
      kind: profile.kind,
      reason: profile.reason,
      classCount: profile.classCount,
      multiLabel: profile.multiLabel,
      labelNames: profile.spec.labelNames,
      classCounts: profile.classCounts,
      sequenceSize: profile.spec.sequenceSize,
      matrices: profile.matrices,
      vocabulary: profile.vocabulary,
      trainBytes: profile.trainBytes,
      train,
      test,
      warnings: [...dataset.warnings, ...odd],
      device: chosenDevice(),
      portfolio: await plannedTrials(profile),
    }
  } finally {
    dataset.close()
  }
}

async function readWhole(
  split: Split,
  profile: TaskProfile,
  bytesPerExample: number,
  files: number,
): Promise<SplitInspection> {
  const step = Math.max(1, Math.min(4096, Math.floor(CHUNK_BYTES / Math.max(1, bytesPerExample))))
  for (let from = 0; from < split.count; from += step) {
    const rows = Int32Array.from({ length: Math.min(step, split.count - from) }, (_, i) => from + i)
    for (let matrix = 0; matrix < profile.matrices.length; matrix++) await split.read(rows, matrix)
  }
  const sum = (field: 'nan' | 'infinite') => split.oddValues.reduce((total, counts) => total + counts[field], 0)
  return {
    count: split.count,
    files,
    missing: sum('nan'),
    infinite: sum('infinite'),
    unreadable: split.unreadable.size,
  }
}

function chosenDevice(): Inspection['device'] {
  const { pair, why } = chooseAtOnce({ engine: 'auto', device: 'auto' })
  return { ...pair, why }
}

async function plannedTrials(profile: TaskProfile): Promise<PlannedTrial[]> {
  const families = await loadFamilies(profile)
  return families
    .flatMap((family) =>
      (family.portfolio(profile) ?? []).map(({ params, order }) => ({
        family: family.name,
        summary: family.summary,
        params,
        order,
      })),
    )
    .sort((a, b) => a.order - b.order)
    .map(({ family, summary, params }) => ({ family, summary, params }))
}
