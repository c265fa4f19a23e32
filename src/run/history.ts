// What earlier sessions of a run left: the journal replayed into trials, kept members and the time that was used.
import { existsSync } from 'node:fs'
import type { LibraryMember } from '../search/library.ts'
import { memberKey } from '../search/library.ts'
import { readMemberFacts, readMemberScores } from '../search/member-files.ts'
import { objective } from '../search/quality.ts'
import { addScore, newTrial, type Trial } from '../search/trial.ts'
import type { JournalEntry } from './entries.ts'
import type { RunFolder } from './folder.ts'
import { readJournal } from './journal.ts'

export interface History {
  /** Milliseconds of the run's time axis that are over. */
  elapsedMs: number
  trials: Trial[]
  /** Slices given so far. */
  slices: number
  /** Whole on disk; newest of each trial last. */
  members: LibraryMember[]
}

export const NO_HISTORY: History = { elapsedMs: 0, trials: [], slices: 0, members: [] }

/** @param counted whether time is counted in yields, which the journal does not know: slices are then 1 long */
export function readHistory(folder: RunFolder, counted = false): History {
  if (!existsSync(folder.journal)) return NO_HISTORY
  const trials = new Map<string, Trial>()
  const members = new Map<string, LibraryMember>()
  let elapsedMs = 0
  let slices = 0
  for (const entry of readJournal<JournalEntry>(folder.journal)) {
    elapsedMs = Math.max(elapsedMs, entry.t)
    switch (entry.type) {
      case 'trial': {
        const trial = newTrial(entry.trial, entry.family, entry.params, entry.tuner)
        trial.status = 'paused'
        trials.set(entry.trial, trial)
        break
      }
      case 'slice': {
        const trial = trials.get(entry.trial)
        if (trial === undefined) break
        slices++
        trial.slices++
        trial.spent += counted ? 1 : entry.ms
        trial.units = entry.units
        trial.of = entry.of
        break
      }
      case 'score': {
        const trial = trials.get(entry.trial)
        if (trial !== undefined) addScore(trial, Math.max(1, trial.spent), objective(entry))
        break
      }
      case 'trial-end': {
        const trial = trials.get(entry.trial)
        if (trial === undefined) break
        // What ended with its session's time, and not by itself, goes on with more.
        const goesOn = entry.status === 'finished' && trial.of === null && !counted
        trial.status = goesOn ? 'paused' : entry.status
        break
      }
      case 'member': {
        const key = memberKey(entry.trial, entry.member)
        const { trial, member, family, trainedOn, quality, predictMs } = entry
        members.set(key, { key, trial, member, family, trainedOn, quality, predictMs, validation: null, staged: true })
        break
      }
      default:
        break
    }
  }
  return { elapsedMs, trials: [...trials.values()], slices, members: wholeMembers(folder, [...members.values()]) }
}

function wholeMembers(folder: RunFolder, members: readonly LibraryMember[]): LibraryMember[] {
  const newest = new Map<string, LibraryMember>()
  for (const member of members) {
    const facts = readMemberFacts(folder.root, member.trial, member.member)
    if (facts === null) continue
    const validation = readMemberScores(folder.root, facts, 'validation')
    if (validation === null && member.quality !== null) continue
    newest.set(member.trial, { ...member, validation })
  }
  return [...newest.values()]
}
