// What `--search` names: tuners in turn, the next one when the one before has nothing left.
import { evolutionTuner } from './evolution.ts'
import { portfolioTuner } from './portfolio.ts'
import { randomTuner } from './random.ts'
import { reinforceTuner } from './reinforce.ts'
import type { Proposal, Tuner, TunerInput } from './tuner.ts'

const SEARCHES: Record<string, readonly Tuner[]> = {
  auto: [portfolioTuner, evolutionTuner],
  portfolio: [portfolioTuner],
  random: [portfolioTuner, randomTuner],
  evolution: [portfolioTuner, evolutionTuner],
  reinforce: [portfolioTuner, reinforceTuner],
}

/** All searches open with the portfolio: without its first entry there would be no first prediction. */
export function proposeTrial(search: string, input: TunerInput): (Proposal & { tuner: string }) | null {
  for (const tuner of SEARCHES[search] ?? SEARCHES.auto) {
    const proposal = tuner.propose(input)
    if (proposal !== null) return { ...proposal, tuner: tuner.name }
  }
  return null
}
