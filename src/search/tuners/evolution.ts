// Evolution around the best trials (after Real, Aggarwal, Huang & Le 2019): the winner of a small tournament is mutated in one
// or two hyperparameters, sometimes crossed with a relative of its family first. Their ageing is left out: there are few
// trials, and the scheduler judges by the newest scores anyway.
import type { HyperParams, SearchSpace } from '../../families/family.ts'
import type { Rng } from '../../support/rng.ts'
import { mutateDomain } from './domain.ts'
import { randomTuner } from './random.ts'
import { firstNew, type Proposal, type TrialSummary, type Tuner, type TunerInput, tunableFamilies } from './tuner.ts'

/** Of the best trials, as many can be parents. */
const PARENTS = 8
/** The winner is the best of so many drawn: S in the paper, small because the population is. */
const TOURNAMENT = 3
const CROSSOVER_CHANCE = 0.25
const SECOND_MUTATION_CHANCE = 0.35
/** A share of fresh blood, against a population that has converged on one idea. */
const RANDOM_CHANCE = 0.1

export const evolutionTuner: Tuner = {
  name: 'evolution',
  propose(input: TunerInput): Proposal | null {
    const tunable = new Set(tunableFamilies(input))
    const parents = input.history
      .filter((trial) => trial.score !== null && !trial.failed && tunable.has(trial.family))
      .sort((a, b) => b.score! - a.score! || (a.trial < b.trial ? -1 : 1))
      .slice(0, PARENTS)
    if (parents.length === 0) return randomTuner.propose(input)
    const child = firstNew(input.history, () =>
      input.rng.uniform() < RANDOM_CHANCE ? randomTuner.propose(input) : breed(parents, input),
    )
    return child ?? randomTuner.propose(input)
  },
}

function breed(parents: readonly TrialSummary[], { spaces, rng }: TunerInput): Proposal {
  const parent = tournament(parents, rng)
  const space = spaces[parent.family]
  let params: HyperParams = { ...parent.params }
  const relatives = parents.filter((other) => other.family === parent.family && other.trial !== parent.trial)
  if (relatives.length > 0 && rng.uniform() < CROSSOVER_CHANCE) {
    params = cross(params, relatives[rng.below(relatives.length)].params, space, rng)
  }
  const names = rng.shuffle(Object.keys(space))
  const count = names.length > 1 && rng.uniform() < SECOND_MUTATION_CHANCE ? 2 : 1
  for (const name of names.slice(0, count)) params[name] = mutateDomain(space[name], params[name], rng)
  return { family: parent.family, params }
}

/** `ranked`: best first, so the lowest of the drawn indices wins. */
function tournament(ranked: readonly TrialSummary[], rng: Rng): TrialSummary {
  let winner = ranked.length - 1
  for (let i = 0; i < TOURNAMENT; i++) winner = Math.min(winner, rng.below(ranked.length))
  return ranked[winner]
}

function cross(one: HyperParams, other: HyperParams, space: SearchSpace, rng: Rng): HyperParams {
  const child = { ...one }
  for (const name of Object.keys(space)) {
    const inherited = other[name]
    if (inherited !== undefined && rng.uniform() < 0.5) child[name] = inherited
  }
  return child
}
