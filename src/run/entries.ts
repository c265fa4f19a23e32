// Lines of the journal: the run's events, and what only a resumed run needs to know.
import type { Quality } from '../search/quality.ts'
import type { StampedEvent } from './events.ts'

/** A process began to work here. `t` of all its lines goes on from the sessions before. */
export interface SessionEntry {
  type: 'session'
  v: number
  t: number
  pid: number
  budgetMs: number
  startUnixMs: number
}

/** A candidate was kept: its folder trials/<trial>/<member> is whole. */
export interface MemberEntry {
  type: 'member'
  v: number
  t: number
  trial: string
  member: string
  family: string
  trainedOn: 'sample' | 'train' | 'all'
  quality: Quality | null
  predictMs: number
}

export type JournalEntry = StampedEvent | SessionEntry | MemberEntry
