// Blending what was kept: greedy forward selection with replacement on the validation rows (Caruana, Niculescu-Mizil, Crew &
// Ksikes 2004), bagged over the candidates as in their section 2.3 where few rows judge. The objective is that of quality.ts.
// Three blends compete: the weighted mean of probabilities as they are, that of probabilities made as sharp as they should be
// (sharpness.ts), and that of rank-mapped scores (quantile-map.ts).
// Cost matters, since it is paid beside the training: a step proposes by log loss (one pass) and judges only a few by NAUC,
// and how many in all is bounded by the size of the validation set.
import { nauc } from '../metrics/nauc.ts'
import { bestSharpness, sharpen } from '../metrics/sharpness.ts'
import { Rng } from '../support/rng.ts'
import { isSeparate, type Judge, judge, naucError, objective, type Quality } from './quality.ts'
import { applyQuantileMap, fitQuantileMap, type QuantileMap } from './quantile-map.ts'

export interface BlendCandidate {
  member: string
  family: string
  /** [V, K] */
  validation: Float32Array
  quality: Quality
}

export interface BlendMember {
  member: string
  /** Positive; weights sum to 1. */
  weight: number
  /** The power that its probabilities are raised to first; 1 where classes are separate questions. */
  sharpness: number
  /** Rank blends only: its scores go through this then. */
  map: QuantileMap | null
}

/** A candidate with validation scores raised to a power. */
interface SharpCandidate extends BlendCandidate {
  sharpness: number
}

export interface Blend {
  kind: 'mean' | 'rank'
  members: BlendMember[]
  quality: Quality
  /** [V, K] blended validation scores. */
  validation: Float32Array
}

/** Candidates considered: the published ones and the best of each family, since those that err differently blend best, then by quality. */
const MAX_CANDIDATES = 16
/** Rounds of selection: with 16 the finest weight is 1/16. */
const MAX_ROUNDS = 16
/** Candidates whose NAUC is computed per round, best first by log loss. */
const JUDGED_PER_ROUND = 3
/** Validation cells that all NAUCs of one selection may look at, and between how many NAUCs that is bounded: some 100 ms. */
const JUDGED_CELLS = 3e6
const JUDGED = { least: 12, most: 400 }
/** Below these many validation cells a single greedy path overfits and bags cost nothing. */
const BAG_BELOW = 6000
const BAGS = 8
/** A bag sees this share of the candidates (Caruana et al. use half). */
const BAG_SHARE = 0.6
/** Weights below this are dropped: a member costs time at every prediction. */
const MIN_WEIGHT = 0.04
/** Standard errors by which a blend must beat the best single model, which predicts faster and cannot be an accident of weights. */
const BLEND_MARGIN = 0.02
/** Ranks discard confidence, so they must win clearly: in standard errors, and at least in NAUC. */
const RANK_MARGIN_ERRORS = 0.1
const RANK_MARGIN = 0.002

/**
 * The best blend of the candidates, possibly of one alone; null without candidates. Deterministic.
 * @param published members of the blend that is out
 */
export function selectBlend(
  against: Judge,
  candidates: readonly BlendCandidate[],
  published: readonly string[] = [],
): Blend | null {
  const pool = poolOf(candidates, published)
  if (pool.length === 0) return null
  const single: Blend = {
    kind: 'mean',
    members: [{ member: pool[0].member, weight: 1, sharpness: 1, map: null }],
    quality: pool[0].quality,
    validation: pool[0].validation,
  }
  if (pool.length === 1) return single
  const plain = pool.map((candidate) => ({ ...candidate, sharpness: 1 }))
  const sharp = pool.map((candidate) => sharpened(against, candidate))
  const pools = sharp.some(({ sharpness }) => sharpness !== 1) ? [plain, sharp] : [plain]
  const means = pools.map((each) => blendOf(against, each, selectCounts(against, each, 1 / pools.length)))
  const winner = means.length > 1 && objective(means[1].quality) > objective(means[0].quality) ? 1 : 0
  const mean = means[winner]
  if (mean.members.length === 1) return single
  const error = naucError(against, single.quality)
  const best = objective(mean.quality) > objective(single.quality) + BLEND_MARGIN * error ? mean : single
  if (against.multiLabel || against.classCount > 1) {
    const ranked = rankBlend(against, pools[winner], mean)
    const margin = RANK_MARGIN + RANK_MARGIN_ERRORS * error
    // The log loss of ranks says nothing: it must not decide whether they are published.
    const quality = { ...ranked.quality, loss: best.quality.loss }
    if (quality.nauc > best.quality.nauc + margin) return { ...ranked, quality }
  }
  return best
}

/** At most MAX_CANDIDATES, the best first. */
function poolOf(candidates: readonly BlendCandidate[], published: readonly string[]): BlendCandidate[] {
  const sorted = [...candidates].sort(
    (a, b) => objective(b.quality) - objective(a.quality) || (a.member < b.member ? -1 : 1),
  )
  const leads = (each: BlendCandidate) => sorted.find(({ family }) => family === each.family) === each
  const rank = (each: BlendCandidate) =>
    each === sorted[0] || published.includes(each.member) ? 0 : leads(each) ? 1 : 2
  const chosen = new Set([0, 1, 2].flatMap((r) => sorted.filter((each) => rank(each) === r)).slice(0, MAX_CANDIDATES))
  return sorted.filter((each) => chosen.has(each))
}

/** By the scores that a candidate came with: they are looked at in every selection while it is kept. */
const sharpOnes = new WeakMap<Float32Array, { validation: Float32Array; sharpness: number }>()

function sharpened(against: Judge, candidate: BlendCandidate): SharpCandidate {
  if (isSeparate(against)) return { ...candidate, sharpness: 1 }
  let known = sharpOnes.get(candidate.validation)
  if (known === undefined) {
    const { power } = bestSharpness(against.labels, candidate.validation, against.classCount)
    known = { sharpness: power, validation: sharpen(candidate.validation, against.classCount, power) }
    sharpOnes.set(candidate.validation, known)
  }
  return { ...candidate, ...known }
}

/** Blends the members' scores for any rows: [n, K] each. Missing members are an error of the caller. */
export function blendScores(
  blend: Pick<Blend, 'members'>,
  scoresOf: (member: string) => Float32Array,
  classCount: number,
): Float32Array {
  const [first] = blend.members
  if (blend.members.length === 1 && first.sharpness === 1 && first.map === null) return scoresOf(first.member)
  let sum: Float32Array | null = null
  for (const { member, weight, sharpness, map } of blend.members) {
    const scores = sharpen(scoresOf(member), classCount, sharpness)
    const mapped = map === null ? scores : applyQuantileMap(map, scores, classCount)
    sum ??= new Float32Array(mapped.length)
    for (let at = 0; at < sum.length; at++) sum[at] += weight * mapped[at]
  }
  return sum ?? new Float32Array(0)
}

/** How often each candidate was chosen, over all bags, with this share of the judgements there are. */
function selectCounts(against: Judge, pool: readonly BlendCandidate[], share: number): number[] {
  const counts = new Array<number>(pool.length).fill(0)
  const all = pool.map((_, i) => i)
  const judgements = Math.max(JUDGED.least, share * Math.min(JUDGED.most, JUDGED_CELLS / against.labels.length))
  if (against.labels.length >= BAG_BELOW || pool.length < 4) {
    for (const i of greedy(against, pool, all, judgements)) counts[i]++
    return counts
  }
  // The bags are part of the method, not of the run: fixed, so that equal candidates give equal blends.
  const rng = Rng.fromSeed(2004)
  const size = Math.max(2, Math.round(BAG_SHARE * pool.length))
  for (let bag = 0; bag < BAGS; bag++) {
    const members = Array.from(rng.permutation(pool.length).slice(0, size)).sort((a, b) => a - b)
    const chosen = greedy(against, pool, members, judgements / BAGS)
    // Paths of different length weigh the same.
    for (const i of chosen) counts[i] += 1 / chosen.length
  }
  return counts
}

/** One greedy path: indices into `pool`, with repetitions, up to its best point. `judgements`: NAUCs it may compute. */
function greedy(
  against: Judge,
  pool: readonly BlendCandidate[],
  allowed: readonly number[],
  judgements: number,
): number[] {
  const { labels, classCount } = against
  const rows = labels.length / classCount
  const value = (scores: Float32Array, loss: number) =>
    objective({ nauc: nauc(labels, scores, classCount), accuracy: 0, loss: loss / rows })
  const chosen = [allowed[0]]
  const sum = Float32Array.from(pool[allowed[0]].validation)
  let best = value(sum, blendedLoss(against, sum, null, 1))
  let bestLength = 1
  let left = judgements
  for (let round = 1; round < MAX_ROUNDS && left > 0; round++) {
    const proposals = allowed
      .map((i) => ({ i, loss: blendedLoss(against, sum, pool[i].validation, round + 1) }))
      .sort((a, b) => a.loss - b.loss || a.i - b.i)
      .slice(0, JUDGED_PER_ROUND)
    let next = -1
    let nextValue = Number.NEGATIVE_INFINITY
    for (const { i, loss } of proposals) {
      const reached = value(mix(sum, pool[i].validation, round), loss)
      left--
      if (reached > nextValue) {
        next = i
        nextValue = reached
      }
    }
    chosen.push(next)
    addInto(sum, pool[next].validation)
    if (nextValue > best + 1e-6) {
      best = nextValue
      bestLength = chosen.length
    } else if (chosen.length > bestLength + 3) break
  }
  return chosen.slice(0, bestLength)
}

function blendOf(against: Judge, pool: readonly SharpCandidate[], counts: readonly number[]): Blend {
  const total = counts.reduce((a, b) => a + b, 0)
  const kept = counts.map((count) => (count / total < MIN_WEIGHT ? 0 : count))
  const mass = kept.reduce((a, b) => a + b, 0)
  const members = pool.flatMap(({ member, sharpness }, i) =>
    kept[i] > 0 ? [{ member, weight: kept[i] / mass, sharpness, map: null }] : [],
  )
  return judged(against, 'mean', members, pool)
}

function rankBlend(against: Judge, pool: readonly SharpCandidate[], mean: Blend): Blend {
  const members = mean.members.map((each) => {
    const { validation } = pool.find((candidate) => candidate.member === each.member)!
    return { ...each, map: fitQuantileMap(validation, against.classCount) }
  })
  return judged(against, 'rank', members, pool)
}

function judged(against: Judge, kind: Blend['kind'], members: BlendMember[], pool: readonly SharpCandidate[]): Blend {
  const byName = new Map(pool.map((candidate) => [candidate.member, candidate.validation]))
  const asTheyAre = members.map((each) => ({ ...each, sharpness: 1 }))
  const validation = blendScores({ members: asTheyAre }, (member) => byName.get(member)!, against.classCount)
  return { kind, members, quality: judge(against, validation), validation }
}

/** (sum + next) / (count + 1) */
function mix(sum: Float32Array, next: Float32Array, count: number): Float32Array {
  const mixed = new Float32Array(sum.length)
  const share = 1 / (count + 1)
  for (let at = 0; at < mixed.length; at++) mixed[at] = (sum[at] + next[at]) * share
  return mixed
}

function addInto(sum: Float32Array, next: Float32Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] += next[at]
}

/** Log loss, summed over rows, of (sum + next) / count without building it. Scores of a row sum to 1 but where classes are separate questions. */
function blendedLoss(against: Judge, sum: Float32Array, next: Float32Array | null, count: number): number {
  const { labels, classCount } = against
  const separate = isSeparate(against)
  let loss = 0
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at]
    if (label === 0 && !separate) continue
    const p = (sum[at] + (next === null ? 0 : next[at])) / count
    if (label > 0) loss -= label * Math.log(Math.max(p, 1e-7))
    if (separate) loss -= (1 - label) * Math.log(Math.max(1 - p, 1e-7))
  }
  return separate ? loss / classCount : loss
}
