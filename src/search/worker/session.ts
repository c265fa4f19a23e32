// A worker's life: open the task, make the first prediction without waiting for anyone (the starter), then do the slices that
// main asks for. Everything a worker tells goes through `post`.
import { mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { SplitName } from '../../dataset/batch.ts'
import { type ArrayCache, openArrayCache } from '../../dataset/cache.ts'
import { skippedPictures } from '../../dataset/profile.ts'
import { createEngine } from '../../engine/create-engine.ts'
import { DEFAULT_PAIR, samePair } from '../../engine/devices/pair.ts'
import type { Engine } from '../../engine/engine.ts'
import { createLazyEngine } from '../../engine/lazy-engine.ts'
import type { Family } from '../../families/family.ts'
import { loadFamilies } from '../../families/registry.ts'
import { encodeGraph } from '../../graph/encoding.ts'
import { AutomlError, EXIT, UsageError } from '../../support/errors.ts'
import { toFault } from '../fault.ts'
import { nextMemberNumber, writeMember } from '../member-files.ts'
import type { FromWorker, PlannedTrial, Probe, ToWorker } from '../messages.ts'
import { modelGraph, stepsVary } from '../model-graph.ts'
import { feedBatches, type ReadRaw } from '../model-inputs.ts'
import { trialId } from '../trial.ts'
import { createFeatureStore, type FeatureStore } from './feature-store.ts'
import { fingerprint } from './fingerprint.ts'
import { createPredictor, type Predictor } from './predictor.ts'
import { allRows, openTask, type Task } from './task.ts'
import { type CandidateEvent, createTrialRunner, type SliceResult, type TrialRunner } from './trial-runner.ts'

export type Configure = Extract<ToWorker, { type: 'configure' }>
type SliceOrder = Extract<ToWorker, { type: 'slice' }>

export interface WorkerSession {
  slice(order: SliceOrder): Promise<void>
  verdict(trial: string, member: string, keep: boolean): void
  drop(trial: string): void
  leave(ms: number): Promise<void>
}

export interface SessionHost {
  post(message: FromWorker): void
  elapsedMs(): number
}

/** Networks train on the second, everything else runs on the first, which computes on the processor: what is published is its numbers. */
interface Engines {
  engine: Engine
  networkEngine: Engine
}

/** Progress is told at most this often; main draws it, nothing depends on it. */
const PROGRESS_MS = 200
/** After so long without progress, reading and predicting say that they are under way: a silent worker counts as hung. */
const SILENT_MS = 1000
/** Test examples that merged models are checked with, and bytes of them: they are sent to main, where whole videos have no room. */
const PROBES = { rows: 3, bytes: 64e6 }
/** Of the worker's memory, for stored features; the rest is for learners, decoded batches and the engine. */
const FEATURE_SHARE = 0.5

/** Of the free disk, for features that memory has no room for; all workers together. */
const CACHE_SHARE = 0.4

/** @throws DATA_*, ENGINE, OUTPUT_WRITE: the worker cannot work */
export async function startSession(configure: Configure, host: SessionHost): Promise<WorkerSession> {
  mark(host, 'configured')
  const engineReady = createEngine(DEFAULT_PAIR, configure)
  // A rejection is met where the engine is first needed.
  engineReady.catch(() => {})
  const task = await openTask(configure.data, configure.seed)
  mark(host, 'profiled')
  if (configure.role !== 'helper') tellProfile(task, host)
  const familiesReady = familiesFor(task, configure)
  const [engine, families] = await Promise.all([engineReady, familiesReady])
  mark(host, 'loaded')
  const networkEngine = samePair(configure, DEFAULT_PAIR) ? engine : createLazyEngine(configure, configure.threads)
  const session = createWorkerSession(configure, host, task, { engine, networkEngine }, families)
  if (configure.role === 'starter') await session.start()
  else if (configure.role === 'teller') await session.tell()
  return session
}

function createWorkerSession(
  configure: Configure,
  host: SessionHost,
  task: Task,
  { engine, networkEngine }: Engines,
  families: readonly Family[],
): WorkerSession & { start(): Promise<void>; tell(): Promise<void> } {
  const { out } = configure
  const { profile, plan, counts } = task
  /** The trial under way, and what it is at. */
  let doing: { trial: string; note: string } | null = null
  let progressToldMs = Number.NEGATIVE_INFINITY
  const read = (split: SplitName, rows: Int32Array, matrix: number, steps?: number) => {
    tellDoing()
    return splitOf(task, split).read(rows, matrix, steps)
  }
  let spill: ArrayCache | null = null
  const store: FeatureStore = createFeatureStore({
    engine,
    profile,
    read,
    counts,
    limitBytes: configure.memoryBytes * FEATURE_SHARE,
    spill: () => {
      spill ??= openCache(join(out, 'cache'), configure.workers)
      return spill
    },
  })
  const predictor: Predictor = createPredictor(engine, profile, store, read, tellDoing)
  const verdicts = new Map<string, (keep: boolean) => void>()
  const nextMember = new Map<string, number>()
  const predictMs = new Map<string, number>()
  const told = new Set(profile.warnings)
  let unsavedTold = false
  let first = configure.role === 'starter'

  const runner: TrialRunner = createTrialRunner({
    base: {
      profile,
      plan,
      sample: task.sample,
      labels: task.labels,
      engine,
      networkEngine,
      yardstickMs: networkEngine === engine ? null : configure.yardstickMs,
      data: {
        raw: (split, rows, matrix = 0) => read(split, rows, matrix),
        features: store.features,
        predict: predictor.predict,
      },
    },
    out,
    seed: configure.seed,
    familyOf: (name) => families.find((family) => family.name === name),
    elapsedMs: host.elapsedMs,
    reserveMs: (trial) => 1.5 * (predictMs.get(trial) ?? 0) + 100,
    onProgress(trial, { units, of, note }) {
      if (host.elapsedMs() - progressToldMs < PROGRESS_MS) return
      progressToldMs = host.elapsedMs()
      host.post({ type: 'progress', trial, units, of, note })
    },
    onUnsaved(error) {
      if (unsavedTold) return
      unsavedTold = true
      host.post({ type: 'warning', message: `trials are not kept for --resume: ${(error as Error).message}` })
    },
    onCandidate,
  })

  async function onCandidate(
    trial: string,
    family: string,
    event: CandidateEvent,
    spent: { ms: number; steps: number },
  ): Promise<void> {
    const number = nextMember.get(trial) ?? nextMemberNumber(out, trial)
    nextMember.set(trial, number + 1)
    const member = `m${number}`
    const { trainedOn, validation } = event
    checkValidation(event, plan.rows.length * profile.classCount)
    const staged = first
    first = false
    const candidate: FromWorker = { type: 'candidate', trial, family, member, trainedOn, validation, staged, ...spent }
    if (!staged) {
      const verdict = new Promise<boolean>((resolve) => verdicts.set(`${trial}/${member}`, resolve))
      host.post(candidate)
      if (!(await verdict)) return
    }
    if (staged) mark(host, 'fitted')
    const startMs = host.elapsedMs()
    doing = { trial, note: 'predicting' }
    const test = await predictor.predict(event.model, 'test', allRows(counts.test))
    doing = { trial, note: 'at work' }
    checkFinite(test)
    const ms = host.elapsedMs() - startMs
    predictMs.set(trial, ms)
    if (staged) mark(host, 'predicted')
    const graph = encodeGraph(modelGraph(event.model, profile))
    writeMember(out, { trial, member, family, trainedOn }, { graph, test, validation })
    if (staged) host.post(candidate)
    host.post({ type: 'member', trial, member, bytes: graph.length, predictMs: ms })
  }

  async function run(order: SliceOrder, untilCandidate = false): Promise<SliceResult> {
    doing = { trial: order.trial, note: 'at work' }
    const result = await runner.run(order, untilCandidate)
    doing = null
    return result
  }

  function tellDoing(): void {
    if (doing === null || host.elapsedMs() - progressToldMs < SILENT_MS) return
    progressToldMs = host.elapsedMs()
    host.post({ type: 'alive', ...doing })
  }

  async function slice(order: SliceOrder): Promise<void> {
    const result = await run(order)
    tellSkipped()
    host.post(sliceEnd(order.trial, result))
  }

  /** Pictures are found unreadable as they are read: the count is told when it has grown. */
  function tellSkipped(): void {
    const skipped = [task.dataset.train, task.dataset.test].flatMap((split) => (split && skippedPictures(split)) ?? [])
    for (const message of skipped.filter((text) => !told.has(text))) {
      told.add(message)
      host.post({ type: 'warning', message })
    }
  }

  async function start(): Promise<void> {
    const [entry] = portfolio()
    const trial = trialId(0)
    const { family, params } = entry
    host.post({ type: 'opened', trial, family, params })
    const order: SliceOrder = { type: 'slice', trial, family, params, limit: configure.limit, snapshot: false }
    const result = await run(order, true)
    await tell()
    host.post(sliceEnd(trial, result))
  }

  async function tell(): Promise<void> {
    const spaces = Object.fromEntries(families.map((each) => [each.name, each.space(profile)]))
    const { name, device, threads } = networkEngine
    const probes = await probeInputs(task, await probeRows(task), read)
    const openEnded = families.filter((family) => family.openEnded === true).map((family) => family.name)
    host.post({ type: 'portfolio', entries: portfolio(), spaces, openEnded, engine: name, device, threads, probes })
  }

  function portfolio(): PlannedTrial[] {
    const entries = portfolioOf(families, profile)
    if (entries.length === 0) throw noFamily(profile.kind, configure.families)
    return entries
  }

  return {
    start,
    tell,
    slice,
    verdict(trial, member, keep) {
      verdicts.get(`${trial}/${member}`)?.(keep)
      verdicts.delete(`${trial}/${member}`)
    },
    drop: runner.drop,
    async leave(ms) {
      await runner.saveAll(host.elapsedMs() + ms)
      // Before the process ends: drivers have been seen to crash when their objects outlive what they belong to.
      if (networkEngine !== engine) await networkEngine.close().catch(() => {})
    },
  }
}

/** Null when it cannot be made or there is little room: features are computed again then. */
function openCache(folder: string, workers: number): ArrayCache | null {
  try {
    mkdirSync(folder, { recursive: true })
    const { bavail, bsize } = statfsSync(folder)
    return openArrayCache(folder, { maxBytes: CACHE_SHARE * bavail * bsize, sharers: workers })
  } catch {
    return null
  }
}

/** @throws USAGE: a module that was asked for cannot be used */
async function familiesFor({ profile }: Task, { families, familyModules }: Configure): Promise<Family[]> {
  try {
    return await loadFamilies(profile, families, familyModules)
  } catch (cause) {
    if (familyModules.length === 0 || cause instanceof AutomlError) throw cause
    throw new UsageError(`--family-modules: ${(cause as Error).message}`)
  }
}

function tellProfile(task: Task, host: SessionHost): void {
  const { profile, plan, labels, dataset } = task
  const k = profile.classCount
  const validationLabels = new Float32Array(plan.rows.length * k)
  for (const [i, row] of plan.rows.entries()) validationLabels.set(labels.subarray(row * k, (row + 1) * k), i * k)
  const files = [dataset.files.train, dataset.files.test].flatMap((split) => split?.records ?? [])
  host.post({
    type: 'profile',
    profile,
    testIds: dataset.test?.ids ?? new Float64Array(0),
    planKind: plan.kind,
    validationLabels,
    fingerprint: fingerprint(files),
  })
}

function portfolioOf(families: readonly Family[], profile: Task['profile']): PlannedTrial[] {
  return families
    .flatMap((family) => (family.portfolio(profile) ?? []).map((entry) => ({ family: family.name, ...entry })))
    .sort((a, b) => a.order - b.order)
}

/** The first test examples that fit among the probes. Where none does, models are published without a last look. */
async function probeRows(task: Task): Promise<Int32Array> {
  const rows = allRows(Math.min(PROBES.rows, task.counts.test))
  if (rows.length === 0) return rows
  const bytes = new Float64Array(rows.length)
  for (const [i, { spec, steps, rows: height, cols, channels }] of task.profile.matrices.entries()) {
    const usual = 4 * Math.max(1, steps.median) * height.median * cols.median * channels
    // How long a video is, no training example says.
    const shapes = spec.format === 'COMPRESSED' ? await splitOf(task, 'test').pictureShapes(rows, i) : null
    for (const row of rows) {
      bytes[row] += shapes?.subarray(row * 4, row * 4 + 4).reduce((product, size) => product * size, 4) ?? usual
    }
  }
  let room = PROBES.bytes
  return rows.filter((row) => {
    if (bytes[row] > room) return false
    room -= bytes[row]
    return true
  })
}

/** A few test examples as the whole model takes them. */
async function probeInputs(task: Task, rows: Int32Array, read: ReadRaw): Promise<Probe[]> {
  const { profile } = task
  const lengths = stepsVary(profile) ? profile.matrices.map((_, i) => `length_${i}`) : []
  const wanted = new Set([...profile.matrices.map((_, i) => `matrix_${i}`), ...lengths])
  const probes: Probe[] = []
  for await (const { positions, feeds } of feedBatches(read, profile, 'test', rows, { wanted, maxRows: rows.length })) {
    const copies = Object.entries(feeds).map(([name, { type, shape, data }]) => {
      // Not a view: what is sent should not carry its whole batch along.
      const copy = (data as Float32Array | BigInt64Array).slice()
      return [name, { type: type as 'float32' | 'int64', shape: [...shape], data: copy }]
    })
    probes.push({ rows: Array.from(positions, (position) => rows[position]), feeds: Object.fromEntries(copies) })
  }
  return probes
}

function splitOf(task: Task, split: SplitName): Task['dataset']['train'] {
  const found = split === 'train' ? task.dataset.train : task.dataset.test
  if (found === null) throw new AutomlError('DATA_MISSING', 'there is no test split', EXIT.data)
  return found
}

function sliceEnd(trial: string, result: SliceResult): FromWorker {
  const { error, ...facts } = result
  return {
    type: 'slice-end',
    trial,
    ...facts,
    rssBytes: process.memoryUsage.rss(),
    ...(error === undefined ? {} : { error: toFault(error, 'TRIAL') }),
  }
}

function checkValidation({ validation }: CandidateEvent, length: number): void {
  if (validation === null) return
  if (validation.length !== length) {
    throw new AutomlError('TRIAL', `candidate: received ${validation.length} validation scores; must be ${length}`)
  }
  checkFinite(validation)
}

function checkFinite(scores: Float32Array): void {
  const at = scores.findIndex((score) => !Number.isFinite(score))
  if (at >= 0) throw new AutomlError('NAN_LOSS', `the model's scores are not finite (${scores[at]} at ${at})`)
}

function noFamily(kind: string, names: readonly string[] | null): AutomlError {
  const message =
    names === null ? `no family learns from ${kind} data` : `none of ${names.join(', ')} learns from ${kind} data`
  return new AutomlError('USAGE', message, EXIT.usage, 'leave out --families to use all that fit')
}

function mark(host: SessionHost, name: string): void {
  const { user, system } = process.cpuUsage()
  host.post({ type: 'mark', name, atMs: host.elapsedMs(), cpuMs: (user + system) / 1000 })
}
