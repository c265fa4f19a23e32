// Decides when a milestone appears: when validation says that the best blend is better than what is published, by a margin that
// shrinks with the noise of the validation set; at planned log-spaced times when something unpublished is better by more than chance;
// and at the end. Builds the model of the blend, checks it against its members on a few test examples, and publishes.

import type { TaskProfile } from '../dataset/profile.ts'
import { serializeOnnx } from '../engine/onnx/serialize.ts'
import { constantModel } from '../families/common/constant-model.ts'
import { classShares } from '../families/common/label-statistics.ts'
import { decodeGraph } from '../graph/encoding.ts'
import type { Graph } from '../graph/graph.ts'
import { naucDifferenceError } from '../metrics/nauc-difference.ts'
import { blendGraph } from '../search/blend-graph.ts'
import { type Blend, blendScores, selectBlend } from '../search/ensemble.ts'
import type { Library, LibraryMember } from '../search/library.ts'
import { readMemberFacts, readMemberGraph, readMemberScores } from '../search/member-files.ts'
import type { Probe } from '../search/messages.ts'
import { modelGraph } from '../search/model-graph.ts'
import { type Judge, naucError, objective, type Quality, refitTolerance } from '../search/quality.ts'
import { checkModel } from './check-model.ts'
import { createCost } from './cost.ts'
import type { RunFolder } from './folder.ts'
import { MILESTONE_VERSION, type MilestoneFacts, publish } from './milestones.ts'

export type PublishReason = MilestoneFacts['reason']

export interface PublisherOptions {
  folder: RunFolder
  against: Judge
  library: Library
  profile: TaskProfile
  testIds: Float64Array
  probes(): readonly Probe[]
  elapsedMs(): number
  /** When everything must be out, on the same clock; what would not be is not begun, once there is a model. */
  deadlineMs: number
  nowS(): number
  /** Milestones of earlier sessions and the last one's scores. */
  published: { count: number; last: MilestoneFacts | null }
  /** Whether to wait between evaluations: not in counted mode, where everything must follow from the schedule alone. */
  paced: boolean
  hooks: {
    onPublished(facts: MilestoneFacts, timeS: number): void
    /** The best blend's objective rose by this much through this trial's member. */
    onGain(trial: string, gained: number): void
    onBroken(member: LibraryMember, reason: string): void
    /** It cannot be written: the run is over. */
    onFailure(error: unknown): void
  }
}

export interface Publisher {
  /** Something new was staged. */
  consider(trial: string): void
  /** A planned time has come. */
  planned(): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
  /** Publishes the best there is, if it is not worse. */
  final(): Promise<void>
  /** Publishes the class frequencies of the training labels, for a run in which no model is ready. */
  fallback(): Promise<void>
  /** Milliseconds that an evaluation with its publishing has to be reckoned with. */
  costMs(): number
  readonly count: number
  readonly last: MilestoneFacts | null
}

/** A new blend must beat the published one by this share of the standard error of its NAUC. */
const MARGIN_ERRORS = 0.1
/** At planned times and at the end, by more than rounding... */
const EPSILON = 1e-6
/** ...and always by this many standard errors of the difference, unless so many validation cells judge that it is small anyway. */
const DOUBT_ERRORS = 0.5
/** That is for few models to choose from; the best of many looks better by chance. */
const FEW_MODELS = 4
const MOST_DOUBTED_CELLS = 50_000
/** Between two evaluations lies at least this, and several times what an evaluation takes: training needs the cores. */
const PAUSE_MS = 120
const PAUSE_COSTS = 9
const PAUSE_SHARE = 0.01

/**
 * By how much a blend must look better than the published one. Of many blends the one that looks best on few rows looks better than it
 * is: so did the published one, but that is out.
 * @param validation [V, K] of the blend
 * @param published its validation scores are null when an earlier session published it
 * @param models among which the blend was chosen
 */
export function neededGain(
  against: Judge,
  reason: PublishReason,
  validation: Float32Array,
  published: { quality: Quality; validation: Float32Array | null },
  models: number,
): number {
  const { labels, classCount } = against
  const margin = reason === 'better' ? MARGIN_ERRORS * naucError(against, published.quality) : EPSILON
  if (published.validation === null || labels.length > MOST_DOUBTED_CELLS) return Math.max(EPSILON, margin)
  const errors = DOUBT_ERRORS * Math.sqrt(Math.max(1, Math.log2(models / FEW_MODELS)))
  const doubt = errors * naucDifferenceError(labels, validation, published.validation, classCount)
  return Math.max(EPSILON, margin, doubt)
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { folder, against, library, profile, hooks } = options
  let { count, last } = options.published
  let lastKeys: string[] = last === null ? [] : last.members.map(({ trial, member }) => `${trial}/${member}`)
  /** [V, K] of the last blend; null: unknown. */
  let lastValidation: Float32Array | null = null
  let best: number | null = null
  const cost = createCost()
  let notBeforeMs = 0
  let waiting: NodeJS.Timeout | null = null
  let chain: Promise<void> = Promise.resolve()
  let queued = false
  const newest = new Set<string>()

  /** One after the other; an error ends the run, not the process. */
  function enqueue(reason: Exclude<PublishReason, 'first'>): Promise<void> {
    chain = chain.then(() => attempt(reason)).catch(hooks.onFailure)
    return chain
  }

  async function attempt(reason: Exclude<PublishReason, 'first'>): Promise<void> {
    const startMs = options.elapsedMs()
    queued = false
    if (!nothing() && startMs + cost.expectedMs() > options.deadlineMs) return
    let released = false
    while (!released) {
      const blend = bestBlend()
      if (blend === null || !worthIt(blend, reason)) break
      released = await release(blend, nothing() ? 'first' : reason)
    }
    const took = options.elapsedMs() - startMs
    // An evaluation that comes to nothing is cheap and says little about one that ends in a milestone.
    if (released) cost.spent(took)
    notBeforeMs = options.elapsedMs() + Math.max(PAUSE_MS, PAUSE_COSTS * took, PAUSE_SHARE * options.elapsedMs())
  }

  function bestBlend(): Blend | null {
    const blend = selectBlend(against, library.candidates(), lastKeys)
    if (blend === null) return unjudged()
    const value = objective(blend.quality)
    if (best !== null && value > best) {
      const shares = blend.members.filter(({ member }) => newest.has(trialOf(member)))
      for (const { member } of shares) hooks.onGain(trialOf(member), (value - best) / shares.length)
    }
    best = Math.max(best ?? value, value)
    newest.clear()
    return blend
  }

  /** Before anything was validated: the first model. */
  function unjudged(): Blend | null {
    const [member] = library.staged()
    if (member === undefined || !nothing()) return null
    const members = [{ member: member.key, weight: 1, sharpness: 1, map: null }]
    return { kind: 'mean', members, quality: UNKNOWN, validation: new Float32Array(0) }
  }

  /** No model that has learned from examples is out. */
  function nothing(): boolean {
    return last === null || last.reason === 'fallback'
  }

  function worthIt(blend: Blend, reason: Exclude<PublishReason, 'first'>): boolean {
    if (last === null || nothing()) return true
    if (blend.quality === UNKNOWN) return false
    if (last.quality === null) return true
    const gain = objective(blend.quality) - objective(last.quality)
    const keys = blend.members.map(({ member }) => member)
    if (keys.length === lastKeys.length && keys.every((key) => lastKeys.includes(key)))
      return gain > EPSILON && reason !== 'better'
    if (refitted(keys) && gain > -Math.max(EPSILON, refitTolerance(against, last.quality))) return true
    const published = { quality: last.quality, validation: lastValidation }
    const models = library.candidates().length
    return gain > EPSILON && gain > neededGain(against, reason, blend.validation, published, models)
  }

  /** Of the same trials as what is published, some of them fitted on more rows by now. */
  function refitted(keys: readonly string[]): boolean {
    if (last === null) return false
    const before = last.members
    return (
      keys.every((key) => before.some(({ trial }) => trial === trialOf(key))) &&
      keys.some((key) => {
        const trainedOn = library.get(key)?.trainedOn
        return trainedOn === 'all' && before.find(({ trial }) => trial === trialOf(key))?.trainedOn !== 'all'
      })
    )
  }

  /** False: a member proved broken and was removed; choose again. */
  async function release(blend: Blend, reason: PublishReason): Promise<boolean> {
    // Taken at once: while the model is checked, a member may be replaced and its files deleted.
    const chosen = blend.members.map(({ member }) => library.get(member)!)
    const loaded = chosen.map(load)
    const torn = loaded.indexOf(null)
    if (torn >= 0) return discard(blend.members[torn].member, 'its files are not whole')
    const contents = loaded as Loaded[]
    const graph = blendGraph(
      blend.members,
      contents.map((content) => content.graph),
      profile,
    )
    const { classCount } = profile
    const scores = blendScores(
      blend,
      (key) => contents[blend.members.findIndex(({ member }) => member === key)].test,
      classCount,
    )
    // The first model is one member's own graph and someone waits for it: it is checked once it is out.
    const first = nothing()
    if (!first && !(await passes(graph, scores, blend, contents))) return false
    const facts: MilestoneFacts = {
      v: MILESTONE_VERSION,
      index: count,
      timeMs: options.elapsedMs(),
      reason,
      quality: blend.quality === UNKNOWN ? null : blend.quality,
      blend: blend.kind,
      members: chosen.map(({ trial, member, family, trainedOn }, i) => {
        return { trial, member, family, trainedOn, weight: blend.members[i].weight }
      }),
      task: profile.spec.name,
      classNames: profile.spec.labelNames,
    }
    await put(facts, graph, scores)
    lastKeys = blend.members.map(({ member }) => member)
    lastValidation = blend.quality === UNKNOWN ? null : blend.validation
    return true
  }

  async function put(facts: MilestoneFacts, graph: Graph, scores: Float32Array): Promise<void> {
    const milestone = { facts, model: serializeOnnx(graph), testIds: options.testIds, scores }
    const timeS = await publish(folder, milestone, options.nowS)
    count++
    last = facts
    hooks.onPublished(facts, timeS)
  }

  async function releasePriors(): Promise<void> {
    if (last !== null) return
    const { classCount, spec } = profile
    const priors = labelFrequencies(profile)
    const scores = new Float32Array(options.testIds.length * classCount)
    for (let i = 0; i < options.testIds.length; i++) scores.set(priors, i * classCount)
    const member = { trial: 'none', member: 'priors', family: 'constant', trainedOn: 'all', weight: 1 }
    const facts: MilestoneFacts = {
      v: MILESTONE_VERSION,
      index: count,
      timeMs: options.elapsedMs(),
      reason: 'fallback',
      quality: null,
      blend: 'mean',
      members: [member],
      task: spec.name,
      classNames: spec.labelNames,
    }
    await put(facts, modelGraph(constantModel(priors), profile), scores)
  }

  async function passes(
    graph: Graph,
    scores: Float32Array,
    blend: Blend,
    contents: readonly Loaded[],
  ): Promise<boolean> {
    const probes = options.probes()
    if ((await checkModel(graph, probes, scores, profile.classCount)) === null) return true
    for (const [i, { member }] of blend.members.entries()) {
      const fault = await checkModel(contents[i].graph, probes, contents[i].test, profile.classCount)
      if (fault !== null) return discard(member, fault)
    }
    return discard(blend.members.at(-1)!.member, 'the blend with it does not give its own scores')
  }

  function discard(key: string, reason: string): false {
    const member = library.get(key)
    library.remove(key)
    if (member !== undefined) hooks.onBroken(member, reason)
    return false
  }

  function load({ trial, member }: LibraryMember): Loaded | null {
    const facts = readMemberFacts(folder.root, trial, member)
    if (facts === null) return null
    const graph = readMemberGraph(folder.root, facts)
    const test = readMemberScores(folder.root, facts, 'test')
    if (graph === null || test?.length !== options.testIds.length * profile.classCount) return null
    return { graph: decodeGraph(graph), test }
  }

  return {
    consider(trial) {
      newest.add(trial)
      const wait = notBeforeMs - options.elapsedMs()
      if (!options.paced || last === null || last.quality === null || wait <= 0) {
        if (!queued) void enqueue('better')
        queued = true
        return
      }
      waiting ??= setTimeout(() => {
        waiting = null
        void enqueue('better')
      }, wait)
    },
    planned: () => void enqueue('planned'),
    idle: () => chain,
    final() {
      if (waiting !== null) clearTimeout(waiting)
      waiting = null
      return enqueue('final')
    },
    fallback() {
      chain = chain.then(releasePriors).catch(hooks.onFailure)
      return chain
    },
    costMs: cost.expectedMs,
    get count() {
      return count
    },
    get last() {
      return last
    },
  }
}

interface Loaded {
  graph: Graph
  /** [test count, K] */
  test: Float32Array
}

/** Stands for the quality of a model that was never validated. */
const UNKNOWN: Quality = { nauc: Number.NaN, accuracy: Number.NaN, loss: Number.NaN }

/** [K] class frequencies of the training labels, as far as the profile tells them. */
function labelFrequencies({ classCounts, classCount, trainCount, multiLabel }: TaskProfile): Float32Array {
  const counts = Float64Array.from(classCounts)
  if (multiLabel || classCount === 1) return Float32Array.from(classShares(counts, trainCount, 'sigmoid'))
  return Float32Array.from(
    classShares(
      counts,
      counts.reduce((sum, count) => sum + count, 0),
      'softmax',
    ),
  )
}

function trialOf(key: string): string {
  return key.slice(0, key.indexOf('/'))
}
