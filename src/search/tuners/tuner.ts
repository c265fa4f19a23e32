// The extension point for who proposes trials. A tuner is a pure function of the history, so that a resumed run proposes what
// an uninterrupted one would have: whatever it learns, it learns from the trials again.
import type { HyperParams, SearchSpace } from '../../families/family.ts'
import type { Rng } from '../../support/rng.ts'
import type { PlannedTrial } from '../messages.ts'

export interface Proposal {
  family: string
  params: HyperParams
}

export interface TrialSummary extends Proposal {
  trial: string
  /** Best objective so far; null: no validated candidate yet. */
  score: number | null
  failed: boolean
}

export interface TunerInput {
  /** All trials so far, oldest first. */
  history: readonly TrialSummary[]
  /** Sorted by order. */
  portfolio: readonly PlannedTrial[]
  spaces: Readonly<Record<string, SearchSpace>>
  /** A stream of this proposal's own. */
  rng: Rng
}

export interface Tuner {
  readonly name: string
  /** The next trial, or null when there is nothing left to propose. Must not repeat a trial of the history. */
  propose(input: TunerInput): Proposal | null
}

/** Equal keys mean equal trials. */
export function proposalKey({ family, params }: Proposal): string {
  return `${family} ${JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)))}`
}

/** The first of up to `attempts` proposals that is not in the history; null when all are. */
export function firstNew(
  history: readonly Proposal[],
  propose: (attempt: number) => Proposal | null,
  attempts = 20,
): Proposal | null {
  const known = new Set(history.map(proposalKey))
  for (let attempt = 0; attempt < attempts; attempt++) {
    const proposal = propose(attempt)
    if (proposal !== null && !known.has(proposalKey(proposal))) return proposal
  }
  return null
}

/** Families that can be tuned: those with a portfolio entry to start from and a nonempty space. In portfolio order. */
export function tunableFamilies({ portfolio, spaces }: Pick<TunerInput, 'portfolio' | 'spaces'>): string[] {
  const names = [...new Set(portfolio.map((entry) => entry.family))]
  return names.filter((name) => Object.keys(spaces[name] ?? {}).length > 0)
}

/** Hyperparameters that a family's space leaves out keep the value of its first portfolio entry. */
export function baseParams(portfolio: readonly PlannedTrial[], family: string): HyperParams {
  return portfolio.find((entry) => entry.family === family)?.params ?? {}
}
