// A REINFORCE controller (Zoph & Le 2017; Williams 1992) over families and their hyperparameters. The policy is factorised: a
// softmax over families and, per family, a softmax over BINS bins of each domain, in place of the paper's recurrent network, which
// needs thousands of trials. Reward: the trial's score as a rank among all so far, in [0, 1]; the baseline b is its running
// mean; theta += lr (R - b) grad log p, plus an entropy bonus that keeps exploring. The policy is replayed from the history.
import type { Domain, SearchSpace } from '../../families/family.ts'
import type { Rng } from '../../support/rng.ts'
import { fromUnit, toUnit } from './domain.ts'
import { baseParams, firstNew, type Proposal, type Tuner, type TunerInput, tunableFamilies } from './tuner.ts'

/** Bins of a numeric domain; a choice has one per option. */
const BINS = 6
/** Large, because tens of trials, not thousands, must move the policy. */
const LEARNING_RATE = 1.5
/** Of the baseline's running mean. */
const BASELINE_DECAY = 0.8
const ENTROPY_WEIGHT = 0.02

interface Policy {
  families: { names: string[]; logits: Float64Array }
  /** By family, then by hyperparameter. */
  bins: Record<string, Record<string, Float64Array>>
}

export const reinforceTuner: Tuner = {
  name: 'reinforce',
  propose(input: TunerInput): Proposal | null {
    const names = tunableFamilies(input)
    if (names.length === 0) return null
    const policy = learn(freshPolicy(names, input.spaces), input)
    return firstNew(input.history, () => sample(policy, input))
  },
}

function freshPolicy(names: string[], spaces: TunerInput['spaces']): Policy {
  const bins: Policy['bins'] = {}
  for (const name of names) {
    bins[name] = {}
    for (const [key, domain] of Object.entries(spaces[name])) bins[name][key] = new Float64Array(binCount(domain))
  }
  return { families: { names, logits: new Float64Array(names.length) }, bins }
}

/** One ascent step per judged trial, oldest first. */
function learn(policy: Policy, { history, spaces }: TunerInput): Policy {
  const seen: number[] = []
  let baseline = 0.5
  for (const trial of history) {
    if (trial.score === null && !trial.failed) continue
    const reward = trial.failed || trial.score === null ? 0 : rankAmong(seen, trial.score)
    if (trial.score !== null) seen.push(trial.score)
    const family = policy.families.names.indexOf(trial.family)
    if (family < 0) continue
    const advantage = reward - baseline
    ascend(policy.families.logits, family, advantage)
    for (const [key, domain] of Object.entries(spaces[trial.family])) {
      ascend(policy.bins[trial.family][key], binOf(domain, toUnit(domain, trial.params[key])), advantage)
    }
    baseline = BASELINE_DECAY * baseline + (1 - BASELINE_DECAY) * reward
  }
  return policy
}

/** Share of earlier scores that are below, ties half. */
function rankAmong(seen: readonly number[], score: number): number {
  if (seen.length === 0) return 0.5
  let below = 0
  for (const other of seen) below += other < score ? 1 : other === score ? 0.5 : 0
  return below / seen.length
}

/** grad_j log softmax(theta)_action = [j = action] - p_j; grad_j of the entropy H = -p_j (log p_j + H). */
function ascend(logits: Float64Array, action: number, advantage: number): void {
  const p = softmax(logits)
  const entropy = p.reduce((sum, pj) => sum - pj * Math.log(pj), 0)
  for (let j = 0; j < logits.length; j++) {
    const score = (j === action ? 1 : 0) - p[j]
    logits[j] += LEARNING_RATE * (advantage * score - ENTROPY_WEIGHT * p[j] * (Math.log(p[j]) + entropy))
  }
}

function sample(policy: Policy, { portfolio, spaces, rng }: TunerInput): Proposal {
  const family = policy.families.names[draw(policy.families.logits, rng)]
  const params = { ...baseParams(portfolio, family) }
  const space: SearchSpace = spaces[family]
  for (const [key, domain] of Object.entries(space)) {
    const logits = policy.bins[family][key]
    params[key] = fromUnit(domain, (draw(logits, rng) + rng.uniform()) / logits.length)
  }
  return { family, params }
}

function draw(logits: Float64Array, rng: Rng): number {
  const p = softmax(logits)
  let u = rng.uniform()
  for (let j = 0; j < p.length - 1; j++) {
    u -= p[j]
    if (u < 0) return j
  }
  return p.length - 1
}

function softmax(logits: Float64Array): Float64Array {
  const top = Math.max(...logits)
  const exp = logits.map((x) => Math.exp(x - top))
  const sum = exp.reduce((a, b) => a + b, 0)
  return exp.map((x) => x / sum)
}

function binCount(domain: Domain): number {
  if (domain.type === 'choice') return domain.options.length
  return domain.type === 'int' ? Math.min(BINS, domain.high - domain.low + 1) : BINS
}

function binOf(domain: Domain, u: number): number {
  const count = binCount(domain)
  return Math.min(count - 1, Math.floor(u * count))
}
