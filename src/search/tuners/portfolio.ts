// The portfolio in its order, then nothing: what every search begins with.
import { type Proposal, proposalKey, type Tuner, type TunerInput } from './tuner.ts'

export const portfolioTuner: Tuner = {
  name: 'portfolio',
  propose({ history, portfolio }: TunerInput): Proposal | null {
    const known = new Set(history.map(proposalKey))
    const entry = portfolio.find((candidate) => !known.has(proposalKey(candidate)))
    return entry === undefined ? null : { family: entry.family, params: entry.params }
  },
}
