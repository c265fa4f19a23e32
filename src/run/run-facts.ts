// run.json: what a run is of, with which options, versions and device.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { TaskProfile } from '../dataset/profile.ts'
import { writeFileAtomic } from '../support/atomic-file.ts'
import { AutomlError, EXIT } from '../support/errors.ts'
import type { DeviceWatch, Fallback } from './device-watch.ts'
import { type RunFolder, refusal } from './folder.ts'
import type { FitOptions } from './options.ts'
import { RUN_VERSION, usedPackages } from './versions.ts'

/** What run.json states; written once, and again when the run gives its device up. */
export interface RunFacts {
  version: string
  /** Absolute path of the data. */
  data: string
  dataset: string
  fingerprint: string
  seed: number
  /** Of the first session. */
  budgetMs: number
  options: Record<string, unknown>
  /** Where networks train, as of the last writing; `options` has what was asked for. */
  engine: string
  device: string
  /** Where they trained before, and why no longer. */
  fallback?: Fallback
  packages: Record<string, string>
  node: string
  platform: string
}

export function writeRunFacts(folder: RunFolder, facts: RunFacts): void {
  writeFileAtomic(folder.runJson, `${JSON.stringify(facts, null, 2)}\n`)
}

/** @throws OUTPUT_FOLDER when it is not what a run writes */
export function readRunFacts(folder: RunFolder): RunFacts {
  try {
    return JSON.parse(readFileSync(folder.runJson, 'utf8')) as RunFacts
  } catch (cause) {
    throw refusal(folder.runJson, 'is not readable as a run', 'start a new run with another --out', cause)
  }
}

/** @throws DATA_MISMATCH: a run goes on with its own data only */
export function checkSameData(facts: RunFacts, fingerprint: string, options: FitOptions): void {
  if (facts.fingerprint === fingerprint) return
  throw new AutomlError(
    'DATA_MISMATCH',
    `${options.data}: is not the data of the run in ${options.out} (${facts.data})`,
    EXIT.data,
    'give the data of the first session, or start a new run with another --out',
  )
}

export function runFacts(
  options: FitOptions,
  profile: TaskProfile,
  fingerprint: string,
  devices: DeviceWatch,
): RunFacts {
  return {
    version: RUN_VERSION,
    data: options.data,
    dataset: profile.spec.name,
    fingerprint,
    seed: options.seed,
    budgetMs: options.budgetMs,
    options: { ...options },
    ...usedDevice(devices),
    packages: usedPackages(),
    node: process.version,
    platform: `${process.platform} ${process.arch} ${cpus()[0]?.model ?? ''}`.trim(),
  }
}

export function usedDevice(devices: DeviceWatch): Pick<RunFacts, 'engine' | 'device' | 'fallback'> {
  const fallback = devices.fallback()
  return { ...devices.pair(), ...(fallback === null ? {} : { fallback }) }
}
