// What `fit --resume` goes on with where nothing else is asked for: the options that the run began with, as run.json keeps them, and
// the budget of its last session, as the journal does, since a later session may have extended the first one's.
import { existsSync } from 'node:fs'
import type { JournalEntry } from '../run/entries.ts'
import { type RunFolder, runFolder } from '../run/folder.ts'
import { readJournal } from '../run/journal.ts'
import type { FitOptions } from '../run/options.ts'
import { readRunFacts } from '../run/run-facts.ts'
import type { FIT_OPTIONS } from './fit-options.ts'
import type { OptionValues } from './option.ts'

type FitValues = OptionValues<typeof FIT_OPTIONS>

/**
 * By the names of the command line; what the run left to the default is absent. Nothing when there is no run yet.
 * @throws OUTPUT_FOLDER when run.json or the journal cannot be read
 */
export function earlierValues(out: string): Partial<FitValues> {
  const folder = runFolder(out)
  if (!existsSync(folder.runJson)) return {}
  const facts = readRunFacts(folder)
  const options = (facts.options ?? {}) as Partial<FitOptions>
  // A run that gave its device up does not take it again by itself.
  const { engine, device } = facts.fallback === undefined ? options : facts
  const values: { [Name in keyof FitValues]?: FitValues[Name] | null | undefined } = {
    budget: lastBudgetMs(folder) ?? facts.budgetMs,
    seed: facts.seed,
    engine: engine as FitValues['engine'],
    device: device as FitValues['device'],
    workers: options.workers,
    threads: options.threads,
    memory: options.memoryBytes,
    search: options.search,
    families: options.families,
    'slice-steps': options.sliceSteps,
    'max-slices': options.maxSlices,
    'family-modules': options.familyModules,
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null)) as Partial<FitValues>
}

/** Null before any session wrote a line. */
function lastBudgetMs({ journal }: RunFolder): number | null {
  if (!existsSync(journal)) return null
  const last = readJournal<JournalEntry>(journal).findLast((entry) => entry.type === 'session')
  return last?.type === 'session' ? last.budgetMs : null
}
