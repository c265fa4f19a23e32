// Random search (Bergstra & Bengio 2012): a family with equal chance, then every hyperparameter from its domain.
import { sampleDomain } from './domain.ts'
import { baseParams, firstNew, type Proposal, type Tuner, type TunerInput, tunableFamilies } from './tuner.ts'

export const randomTuner: Tuner = {
  name: 'random',
  propose(input: TunerInput): Proposal | null {
    const families = tunableFamilies(input)
    if (families.length === 0) return null
    return firstNew(input.history, () => {
      const family = families[input.rng.below(families.length)]
      const params = { ...baseParams(input.portfolio, family) }
      for (const [name, domain] of Object.entries(input.spaces[family])) params[name] = sampleDomain(domain, input.rng)
      return { family, params }
    })
  },
}
