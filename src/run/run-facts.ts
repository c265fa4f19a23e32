// run.json: what a run is of, with which options, versions and device.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { TaskProfile } from '../dataset/profile.ts'
import { writeFileAtomic } from '../support/atomic-file.ts'
import { AutomlError, EXIT, UsageError } from '../support/errors.ts'
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
  /** Of the validation labels in order: what is judged on other rows cannot be compared. Absent in runs of earlier states of the program. */
  validationFingerprint?: string
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

/** What a worker found, by which a run knows its own data again. */
export interface DataIdentity {
  fingerprint: string
  /** [V, K] */
  validationLabels: Float32Array
}

/** @throws USAGE: a run goes on with its own seed, which decides which rows judge */
export function checkSameSeed(facts: RunFacts, { seed, out }: FitOptions): void {
  if (facts.seed === seed) return
  throw new UsageError(
    `--seed: received ${seed}; the run in ${out} goes on with its own, ${facts.seed}`,
    'leave out --seed, or start a new run with another --out',
  )
}

/** @throws DATA_MISMATCH: a run goes on with its own data only, judged on the same rows */
export function checkSameData(facts: RunFacts, identity: DataIdentity, { data, out }: FitOptions): void {
  if (facts.fingerprint !== identity.fingerprint) {
    throw new AutomlError(
      'DATA_MISMATCH',
      `${data}: is not the data of the run in ${out} (${facts.data})`,
      EXIT.data,
      'give the data of the first session, or start a new run with another --out',
    )
  }
  if (facts.validationFingerprint !== validationFingerprint(identity)) {
    throw new AutomlError(
      'DATA_MISMATCH',
      `${out}: was begun by an earlier state of the program, which judged on other rows`,
      EXIT.data,
      'start a new run with another --out',
    )
  }
}

function validationFingerprint({ validationLabels: { buffer, byteOffset, byteLength } }: DataIdentity): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
    .slice(0, 16)
}

export function runFacts(
  options: FitOptions,
  profile: TaskProfile,
  identity: DataIdentity,
  devices: DeviceWatch,
): RunFacts {
  return {
    version: RUN_VERSION,
    data: options.data,
    dataset: profile.spec.name,
    fingerprint: identity.fingerprint,
    validationFingerprint: validationFingerprint(identity),
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
