// The candidates that were worth keeping: of each trial the best by validation, a fit on all rows in place of a model fitted on
// fewer that looks no better than chance would have it. What the ensemble chooses from. Members that no one can choose any more are given back to be deleted.
import type { BlendCandidate } from './ensemble.ts'
import { type Judge, judge, objective, type Quality, refitTolerance } from './quality.ts'

export type TrainedOn = 'sample' | 'train' | 'all'

export interface LibraryMember {
  /** `<trial>/<member>` */
  key: string
  trial: string
  member: string
  family: string
  trainedOn: TrainedOn
  /** [V, K]; null: not validated. */
  validation: Float32Array | null
  quality: Quality | null
  /** Its files are on disk. */
  staged: boolean
  predictMs: number
}

export interface Candidate {
  trial: string
  member: string
  family: string
  trainedOn: TrainedOn
  validation: Float32Array | null
}

export interface Library {
  /** Judges a candidate and says whether it is worth a test prediction. `costly`: only if it leads all others. */
  consider(candidate: Candidate, costly: boolean): { quality: Quality | null; keep: boolean }
  /** Its files are there; returns members that it replaces. */
  stage(trial: string, member: string, predictMs: number): LibraryMember[]
  /** A staged member of an earlier session. */
  restore(member: LibraryMember): void
  /** Never to be chosen again: it proved broken. */
  remove(key: string): void
  /** The trial ended before what it announced was there. @returns whether something is forgotten */
  forgetUnstaged(trial: string): boolean
  get(key: string): LibraryMember | undefined
  /** Staged and validated. */
  candidates(): BlendCandidate[]
  /** Staged, of any kind. */
  staged(): LibraryMember[]
}

/** Differences below this are rounding. */
const EPSILON = 1e-7

export function createLibrary(against: Judge): Library {
  const members = new Map<string, LibraryMember>()

  function consider(candidate: Candidate, costly: boolean): { quality: Quality | null; keep: boolean } {
    const { trial, member, validation } = candidate
    const quality = validation === null ? null : judge(against, validation)
    const keep = quality === null ? members.size === 0 : worthKeeping(candidate, quality, costly)
    if (keep) {
      const key = memberKey(trial, member)
      members.set(key, { key, ...candidate, quality, staged: false, predictMs: 0 })
    }
    return { quality, keep }
  }

  function worthKeeping({ trial, trainedOn }: Candidate, quality: Quality, costly: boolean): boolean {
    const value = objective(quality)
    const rivals = [...members.values()].filter((other) => other.quality !== null)
    const own = rivals.filter((other) => other.trial === trial)
    if (costly && rivals.some((other) => objective(other.quality!) >= value)) return false
    return own.every((other) => {
      const before = objective(other.quality!)
      const tolerance = trainedOn === 'all' ? Math.max(EPSILON, refitTolerance(against, other.quality!)) : EPSILON
      return value > before + EPSILON || (value > before - tolerance && RANK[trainedOn] > RANK[other.trainedOn])
    })
  }

  return {
    consider,
    stage(trial, member, predictMs) {
      const staged = members.get(memberKey(trial, member))
      if (staged === undefined) return []
      staged.staged = true
      staged.predictMs = predictMs
      if (staged.quality === null) return []
      const replaced = [...members.values()].filter(
        (other) => other !== staged && other.staged && other.trial === trial,
      )
      for (const { key } of replaced) members.delete(key)
      return replaced
    },
    restore: (member) => void members.set(member.key, member),
    remove: (key) => void members.delete(key),
    forgetUnstaged(trial) {
      const ghosts = [...members.values()].filter((member) => member.trial === trial && !member.staged)
      for (const { key } of ghosts) members.delete(key)
      return ghosts.length > 0
    },
    get: (key) => members.get(key),
    candidates: () =>
      [...members.values()].flatMap(({ key, family, staged, validation, quality }) =>
        staged && validation !== null && quality !== null ? [{ member: key, family, validation, quality }] : [],
      ),
    staged: () => [...members.values()].filter((member) => member.staged),
  }
}

export function memberKey(trial: string, member: string): string {
  return `${trial}/${member}`
}

const RANK: Record<TrainedOn, number> = { sample: 0, train: 1, all: 2 }
