// Says what happens: every event goes to the listener, and to the journal what a resumed run or a reader of the folder needs.
// What others act on is fsynced first; slices and scores are written without, the next fsync takes them along.

import type { JournalEntry, MemberEntry, SessionEntry } from './entries.ts'
import type { RunEvent, StampedEvent } from './events.ts'
import { EVENT_VERSION } from './events.ts'
import { type Journal, openJournal } from './journal.ts'

export interface Recorder {
  /** Events before the journal is open are kept for it. */
  open(path: string): void
  event(event: RunEvent): void
  session(entry: Omit<SessionEntry, 'v' | 't' | 'type'>): void
  member(entry: Omit<MemberEntry, 'v' | 't' | 'type'>): void
  close(): void
}

const DURABLE: ReadonlySet<RunEvent['type']> = new Set(['trial', 'trial-end', 'milestone', 'end'])
const NOTED: ReadonlySet<RunEvent['type']> = new Set(['profile', 'device', 'slice', 'score', 'warning'])

export function createRecorder(elapsedMs: () => number, listener: (event: StampedEvent) => void): Recorder {
  let journal: Journal<JournalEntry> | null = null
  const early: JournalEntry[] = []

  function write(entry: JournalEntry, durable: boolean): void {
    if (journal === null) early.push(entry)
    else if (durable) journal.append(entry)
    else journal.note(entry)
  }

  const stamp = () => ({ v: EVENT_VERSION, t: Math.round(elapsedMs() * 10) / 10 })

  return {
    open(path) {
      journal = openJournal<JournalEntry>(path)
      for (const entry of early.splice(0)) journal.note(entry)
    },
    event(event) {
      const stamped: StampedEvent = { ...event, ...stamp() }
      if (DURABLE.has(event.type)) write(stamped, true)
      else if (NOTED.has(event.type)) write(stamped, false)
      listener(stamped)
    },
    session: (entry) => write({ type: 'session', ...entry, ...stamp() }, true),
    member: (entry) => write({ type: 'member', ...entry, ...stamp() }, true),
    close() {
      journal?.close()
      journal = null
    },
  }
}
