// What `--search` names: tuners in turn, the next one when the one before has nothing left.
import { evolutionTuner } from './evolution.ts'
import { portfolioTuner } from './portfolio.ts'
import { randomTuner } from './random.ts'
import { reinforceTuner } from './reinforce.ts'
import type { Proposal, Tuner, TunerInput } from './tuner.ts'

/** The portfolio's first entry alone: the first prediction is its work, whoever proposes the rest. */
const opening: Tuner = {
  name: 'portfolio',
  propose: (input) => portfolioTuner.propose({ ...input, portfolio: input.portfolio.slice(0, 1) }),
}

const SEARCHES: Record<string, readonly Tuner[]> = {
  auto: [portfolioTuner, evolutionTuner],
  portfolio: [portfolioTuner],
  random: [opening, randomTuner],
  evolution: [opening, evolutionTuner],
  reinforce: [opening, reinforceTuner],
}

/** How many of the portfolio's entries a search proposes. */
export function portfolioEntries(search: string, count: number): number {
  return (SEARCHES[search] ?? SEARCHES.auto).includes(portfolioTuner) ? count : Math.min(1, count)
}

/** @param search a name from `--search`; the command line has checked it */
export function proposeTrial(search: string, input: TunerInput): (Proposal & { tuner: string }) | null {
  for (const tuner of SEARCHES[search] ?? SEARCHES.auto) {
    const proposal = tuner.propose(input)
    if (proposal !== null) return { ...proposal, tuner: tuner.name }
  }
  return null
}
