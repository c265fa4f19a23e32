// One session of a run, from the first message to the last milestone: holds worker 0 and its helpers, lets the dispatcher give
// out slices and the publisher publish, and ends in time, whatever a trial is doing. Long, because everything that can end a
// run meets here: the deadline, signals, unusable data, a full disk, dead workers.
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { TaskProfile } from '../dataset/profile.ts'
import type { Choice } from '../engine/devices/choose.ts'
import { createDispatcher, type Dispatcher } from '../search/dispatcher.ts'
import { fromFault } from '../search/fault.ts'
import { createLibrary, type Library } from '../search/library.ts'
import { removeMember } from '../search/member-files.ts'
import type { Fault, FromWorker, Probe, SliceLimit } from '../search/messages.ts'
import { createPool, describeDeath, type Pool } from '../search/pool.ts'
import type { Judge } from '../search/quality.ts'
import { removeTrialState } from '../search/trial-state-file.ts'
import { clockFrom } from '../support/clock.ts'
import { AutomlError, type ErrorCode, EXIT } from '../support/errors.ts'
import { createDeviceWatch } from './device-watch.ts'
import { checkFolder, createFolder, milestoneName, runFolder } from './folder.ts'
import { NO_HISTORY, readHistory } from './history.ts'
import { lockFolder } from './lock.ts'
import { finishMilestones, type MilestoneFacts, removeStaged } from './milestones.ts'
import type { FitHooks, FitOptions, FitOutcome } from './options.ts'
import { readStart, writeEnd, writeStart } from './protocol.ts'
import { createPublisher, type Publisher } from './publisher.ts'
import { createRecorder } from './recorder.ts'
import { availableThreads, firstHeapMb, MOST_WORKERS, memoryLimit, planResources, type Resources } from './resources.ts'
import { checkSameData, checkSameSeed, readRunFacts, runFacts, usedDevice, writeRunFacts } from './run-facts.ts'
import { writeTrialsTable } from './trials-table.ts'
import { RUN_VERSION } from './versions.ts'

/** Log-spaced times at which what is better is published even by less than the margin. */
const PLANNED_POINTS = 24
const PLANNED_FROM_MS = 1000
/** What is kept free before the deadline for the last milestone: at least, and in costs of the milestones so far. */
const CLOSE_MS = { least: 180, costs: 2 }
/** A slice that overruns by this, or by this share of the budget, has hung. */
const HUNG_MS = 20_000
const HUNG_SHARE = 0.25
/** Deaths of one worker after which it is not started again. */
const MOST_DEATHS = 5
/** Before the deadline, for the journal's last words and the end of the process. */
const LEAVE_MS = 60

type Ending = { status: 'done' | 'interrupted'; reason: string } | { error: unknown }

/** @param choice where networks train */
export async function runSession(options: FitOptions, hooks: FitHooks, choice: Choice): Promise<FitOutcome> {
  const folder = runFolder(options.out)
  const resumed = checkFolder(folder, options.resume) === 'resume'
  if (resumed) checkSameSeed(readRunFacts(folder), options)
  const counted = options.sliceSteps !== null
  const history = resumed ? readHistory(folder, counted) : NO_HISTORY
  const startUnixMs = performance.timeOrigin - history.elapsedMs
  const clock = clockFrom(startUnixMs)
  const recorder = createRecorder(clock.elapsedMs, hooks.onEvent)

  const devices = createDeviceWatch(choice, !counted, (message) => recorder.event({ type: 'warning', message }))

  let resources: Resources | null = null
  let profile: TaskProfile | null = null
  let probes: readonly Probe[] = []
  let planned = false
  let library: Library | null = null
  let publisher: Publisher | null = null
  /** The last milestone of a run that was resumed without time to go on. */
  let standing: MilestoneFacts | null = null
  /** The last milestone is out: what still arrives is too late. */
  let over = false
  const lock: { release: (() => void) | null } = { release: null }
  const deaths = new Map<number, number>()
  const timers: NodeJS.Timeout[] = []

  let end: (ending: Ending) => void = () => {}
  const ended = new Promise<Ending>((resolve) => {
    end = resolve
  })

  const closeMs = () => {
    const cost = publisher?.costMs() ?? 60
    return Math.min(options.budgetMs / 4, Math.max(CLOSE_MS.least, CLOSE_MS.costs * cost) + LEAVE_MS)
  }
  const untilMs = () => options.budgetMs - closeMs()
  const fail = (error: unknown) => end({ error })

  const pool: Pool = createPool(
    {
      ...(hooks.worker === undefined ? {} : { entry: hooks.worker.entry }),
      heapMb: () => resources?.heapMb ?? firstHeapMb(options),
    },
    { onMessage: guarded(onMessage), onDeath: guarded(onDeath) },
  )

  const dispatcher: Dispatcher = createDispatcher({
    pool,
    search: options.search,
    seed: options.seed,
    schedule:
      options.sliceSteps === null
        ? { kind: 'clock', nowMs: clock.elapsedMs, untilMs }
        : { kind: 'steps', sliceSteps: options.sliceSteps, maxSlices: options.maxSlices ?? Number.MAX_SAFE_INTEGER },
    currentLibrary: () => library!,
    costly: (predictMs, sinceKeptMs) =>
      10 * predictMs > sinceKeptMs && options.budgetMs - clock.elapsedMs() > 0.15 * options.budgetMs,
    published: () => new Set(publisher?.last?.members.map(({ trial }) => trial)),
    hooks: {
      onTrial: ({ id, family, params, tuner }) => recorder.event({ type: 'trial', trial: id, family, params, tuner }),
      onScore: ({ id }, quality, trainedOn) => recorder.event({ type: 'score', trial: id, ...quality, trainedOn }),
      onKept(member, replaced) {
        const { trial, member: name, family, trainedOn, quality, predictMs } = member
        recorder.member({ trial, member: name, family, trainedOn, quality, predictMs })
        for (const old of replaced) removeMember(folder.root, old.trial, old.member)
        publisher?.consider(trial)
      },
      onSlice({ id }, worker, { startMs, ms, units, of, note, rssBytes }) {
        recorder.event({ type: 'slice', trial: id, worker, startMs, ms, units, of, note })
        recorder.event({ type: 'worker', worker, status: 'started', doing: '', rssBytes })
      },
      onTrialEnd(trial, status, reason, code) {
        const why = { ...(reason === null ? {} : { reason }), ...(code === null ? {} : { code }) }
        recorder.event({ type: 'trial-end', trial: trial.id, status, ...why })
        // What goes on in a later session keeps its state (history.ts); nobody will ask for that of others.
        if (status !== 'finished' || trial.of !== null) removeTrialState(folder.root, trial.id)
        if (code !== null && isHopeless(code)) fail(new AutomlError(code, reason ?? folder.root, EXIT.data))
      },
      beforeAssign: async () => {
        if (counted) await publisher?.idle()
      },
      onExhausted: (reason) => end({ status: 'done', reason }),
      onFailure: fail,
    },
  })

  function onMessage(worker: number, message: FromWorker): void {
    if (over) return
    switch (message.type) {
      case 'profile':
        onProfile(message)
        return
      case 'portfolio':
        probes = message.probes
        planned = true
        tellDevice(message, message.threads)
        dispatcher.plan(message.entries, message.spaces, message.openEnded)
        if (dispatcher.doing(worker) === null) dispatcher.ready(worker)
        startHelpers()
        return
      case 'progress': {
        const { trial, note, units, of } = message
        dispatcher.onMessage(worker, message)
        const doing = `${trial} ${note} ${units}${of === null ? '' : `/${of}`}`
        recorder.event({ type: 'worker', worker, status: 'started', doing, rssBytes: 0 })
        return
      }
      case 'alive': {
        const doing = `${message.trial} ${message.note}`
        recorder.event({ type: 'worker', worker, status: 'started', doing, rssBytes: 0 })
        return
      }
      case 'warning':
        recorder.event({ type: 'warning', message: message.message })
        return
      case 'hello':
        dispatcher.ready(worker)
        return
      case 'mark':
        if (process.env.AUTOML_MARKS) tellMark(message)
        return
      case 'fault':
        if (isFatal(message.error)) fail(fromFault(message.error))
        return
      default:
        dispatcher.onMessage(worker, message)
    }
  }

  function onProfile(message: Extract<FromWorker, { type: 'profile' }>): void {
    if (profile !== null) return
    profile = message.profile
    resources = planResources(options, profile)
    let earlier: MilestoneFacts[] = []
    if (resumed) checkSameData(readRunFacts(folder), message, options)
    createFolder(folder)
    lock.release = lockFolder(folder.lock, folder.root)
    if (resumed) earlier = finishMilestones(folder)
    if (!resumed) writeRunFacts(folder, runFacts(options, profile, message, devices))
    else if (devices.fallback() !== null) onFallback()
    recorder.open(folder.journal)
    recorder.session({ pid: process.pid, budgetMs: options.budgetMs, startUnixMs })
    startProtocol(earlier)
    const { kind, reason, trainCount, testCount, classCount, multiLabel, warnings, spec } = profile
    recorder.event({
      type: 'start',
      dataset: spec.name,
      data: options.data,
      out: folder.root,
      budgetMs: options.budgetMs,
      seed: options.seed,
      resumed,
      version: RUN_VERSION,
    })
    recorder.event({ type: 'profile', kind, reason, trainCount, testCount, classCount, multiLabel, warnings })
    const against: Judge = { labels: message.validationLabels, classCount, multiLabel }
    library = createLibrary(against)
    for (const member of history.members) library.restore(member)
    dispatcher.restore(history.trials, history.slices)
    publisher = createPublisher({
      folder,
      against,
      library,
      profile,
      testIds: message.testIds,
      probes: () => probes,
      elapsedMs: clock.elapsedMs,
      deadlineMs: counted ? Number.POSITIVE_INFINITY : options.budgetMs - LEAVE_MS,
      nowS: () => (startUnixMs + clock.elapsedMs()) / 1000,
      published: { count: earlier.length === 0 ? 0 : earlier.at(-1)!.index + 1, last: earlier.at(-1) ?? null },
      paced: !counted,
      hooks: {
        onPublished: told,
        onGain: dispatcher.credit,
        onBroken: ({ key }, reason) => recorder.event({ type: 'warning', message: `${key} is left out: ${reason}` }),
        onFailure: fail,
      },
    })
    planTimes()
  }

  function startProtocol(earlier: readonly MilestoneFacts[]): void {
    const start = {
      pid: process.pid,
      task: profile!.spec.name,
      budgetS: options.budgetMs / 1000,
      startTimeS: startUnixMs / 1000,
    }
    writeStart(folder.predictions, start, predictionTimes(folder.predictions, earlier, startUnixMs))
    rmSync(`${folder.predictions}/end.txt`, { force: true })
  }

  function told(facts: MilestoneFacts): void {
    const { index, quality, members, reason } = facts
    devices.onFirstModel()
    recorder.event({
      type: 'milestone',
      index,
      nauc: quality?.nauc ?? null,
      accuracy: quality?.accuracy ?? null,
      members: members.map(({ trial, family, weight }) => ({ trial, family, weight })),
      reason,
    })
  }

  function tellDevice({ engine, device }: { engine: string; device: string }, threads: number): void {
    const { workers } = resources!
    const fallback = devices.fallback()
    const why = fallback === null ? {} : { reason: fallback.reason }
    recorder.event({ type: 'device', engine, device, threads, workers, ...why })
  }

  /** Before the run knows its data there is nothing to correct: run.json and the first word on the device are still to come. */
  function onFallback(): void {
    if (profile === null) return
    writeRunFacts(folder, { ...readRunFacts(folder), ...usedDevice(devices) })
    if (planned) tellDevice(devices.pair(), resources!.threadsPerWorker)
  }

  function configure(worker: number, role: 'starter' | 'teller' | 'helper'): void {
    const threads = resources?.threadsPerWorker ?? availableThreads(options)
    const limit: SliceLimit =
      options.sliceSteps === null
        ? { kind: 'clock', ms: options.budgetMs, untilMs: untilMs() }
        : { kind: 'steps', steps: Number.MAX_SAFE_INTEGER, left: (options.maxSlices ?? 1e9) * options.sliceSteps }
    pool.send(worker, {
      type: 'configure',
      worker,
      role,
      data: options.data,
      out: folder.root,
      seed: options.seed,
      ...devices.pair(),
      yardstickMs: devices.stepMs(),
      threads,
      workers: resources?.workers ?? options.workers ?? MOST_WORKERS,
      memoryBytes: resources?.memoryPerWorker ?? memoryLimit(options) / 2,
      families: options.families,
      familyModules: options.familyModules,
      originUnixMs: startUnixMs,
      limit,
    })
  }

  /** After the first prediction: until then worker 0 has the machine for itself. */
  function startHelpers(): void {
    for (let worker = 1; worker < resources!.workers; worker++) {
      if (!pool.alive().includes(worker)) startWorker(worker, 'helper')
    }
  }

  function startWorker(worker: number, role: 'starter' | 'teller' | 'helper'): void {
    pool.add(worker, worker === 0 && !deaths.has(0) ? hooks.worker : undefined)
    configure(worker, role)
    recorder.event({ type: 'worker', worker, status: 'started', doing: 'reading the data', rssBytes: 0 })
  }

  function onDeath(worker: number, reason: string, fault: Fault | null): void {
    if (over) return
    if (fault !== null && isFatal(fault)) {
      fail(fromFault(fault))
      return
    }
    recorder.event({ type: 'worker', worker, status: 'ended', doing: reason, rssBytes: 0 })
    const count = (deaths.get(worker) ?? 0) + 1
    deaths.set(worker, count)
    if (devices.onDeath(reason)) onFallback()
    const inTrial = dispatcher.doing(worker) !== null
    dispatcher.onDeath(worker, reason, fault)
    const what = describeDeath(reason, fault)
    if (count > MOST_DEATHS || (profile === null && count > 1)) {
      if (pool.alive().length > 0) return
      // What there is, if only the class frequencies, is better than nothing; a worker that dies of no trial is a fault to be told.
      if (publisher !== null && (inTrial || publisher.count > 0))
        end({ status: 'done', reason: `no worker can work: ${what}` })
      else fail(new AutomlError('WORKER', `no worker can work: ${what}`))
      return
    }
    recorder.event({ type: 'warning', message: `worker ${worker} is started again: ${what}` })
    // What the starter died of would kill it again: once it knows the data, its trial is one of many.
    startWorker(worker, planned ? 'helper' : resumed || dispatcher.trials.length > 0 ? 'teller' : 'starter')
  }

  /** Nothing can be done about a full disk, the data or what was asked for; a sick worker is replaced once the data are known. */
  function isFatal({ code, exitCode }: Fault): boolean {
    if (code === 'OUTPUT_WRITE') return true
    return !planned && code !== 'OUT_OF_MEMORY' && (publisher === null || exitCode !== EXIT.failed)
  }

  function planTimes(): void {
    if (counted) return
    const ratio = options.budgetMs / PLANNED_FROM_MS
    for (let i = 1; i < PLANNED_POINTS; i++) {
      const at = PLANNED_FROM_MS * ratio ** (i / PLANNED_POINTS) - clock.elapsedMs()
      if (at > 0) timers.push(setTimeout(() => publisher?.planned(), at))
    }
  }

  /** Kills a worker whose trial does not come back; its death does the rest. */
  function watchSlices(): void {
    const limitMs = Math.max(HUNG_MS, HUNG_SHARE * options.budgetMs)
    for (const worker of pool.alive()) {
      const doing = dispatcher.doing(worker)
      if (doing === null || clock.elapsedMs() - doing.sinceMs < limitMs) continue
      const silentMs = clock.elapsedMs() - Math.max(doing.sinceMs, heardMs.get(worker) ?? 0)
      if (silentMs < limitMs) continue
      pool.kill(worker)
      recorder.event({ type: 'worker', worker, status: 'killed', doing: doing.trial.id, rssBytes: 0 })
      onDeath(worker, 'killed', {
        code: 'TRIAL',
        message: `no sign of life for ${Math.round(silentMs / 1000)} s`,
        exitCode: EXIT.failed,
      })
    }
  }
  const heardMs = new Map<number, number>()

  /** A defect or a full disk met in a callback ends the run with its name, not the process with a stack. */
  function guarded<A extends unknown[]>(act: (worker: number, ...rest: A) => void) {
    return (worker: number, ...rest: A): void => {
      heardMs.set(worker, clock.elapsedMs())
      try {
        act(worker, ...rest)
      } catch (error) {
        fail(error)
      }
    }
  }

  const interrupt = () => end({ status: 'interrupted', reason: 'interrupted' })
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  hooks.signal?.addEventListener('abort', interrupt)
  if (hooks.signal?.aborted) interrupt()
  startWorker(0, resumed ? 'teller' : 'starter')
  // Loaded while the worker works: the first milestone needs it.
  void import('apache-arrow')
  const deadline = () => {
    const left = untilMs() - clock.elapsedMs()
    if (left <= 0) end({ status: 'done', reason: 'the budget is used up' })
    else timers.push(setTimeout(deadline, Math.min(left, 1000)))
  }
  deadline()
  timers.push(setInterval(guarded(watchSlices).bind(null, -1), 1000))

  let ending = await ended
  dispatcher.stop()
  if (!('error' in ending)) ending = publisher === null ? nothingRead(ending) : await lastMilestone(ending, publisher)
  over = true
  devices.stop()
  for (const timer of timers) clearTimeout(timer)
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)
  hooks.signal?.removeEventListener('abort', interrupt)
  try {
    if (profile !== null && library !== null) leaveWord(ending)
  } finally {
    const leftMs = options.budgetMs - LEAVE_MS / 2 - clock.elapsedMs()
    if ('error' in ending || counted || (ending.status === 'done' && leftMs <= 0)) pool.killAll()
    else await pool.leave(ending.status === 'interrupted' ? 800 : Math.min(1500, leftMs))
    recorder.close()
    // Of a folder that another process works in, nothing is touched.
    if (lock.release !== null) {
      removeStaged(folder)
      lock.release()
    }
  }
  // A finished run is small; one that was interrupted will want its features again.
  if (!('error' in ending) && ending.status === 'done') rmSync(folder.cache, { recursive: true, force: true })
  if ('error' in ending) throw ending.error
  return outcome(ending.status)

  /** What is staged by now and is better is published; a candidate on its way is waited for a moment. */
  async function lastMilestone(ending: Ending, last: Publisher): Promise<Ending> {
    const interrupted = 'status' in ending && ending.status === 'interrupted'
    const spare = options.budgetMs - LEAVE_MS - clock.elapsedMs() - 1.5 * last.costMs()
    const waitMs = interrupted || counted ? 0 : Math.max(0, Math.min(spare, closeMs() / 2))
    await settled(waitMs)
    // What is still under way is too late, and the last milestone needs the cores.
    if (!counted && !interrupted) for (const worker of busy()) pool.kill(worker)
    let failure: unknown = null
    end = (other) => {
      if ('error' in other) failure ??= other.error
    }
    // Without a model the run has failed: for one, a little more is taken.
    const leftMs = options.budgetMs - clock.elapsedMs()
    const limitMs = interrupted ? 1000 : last.count > 0 ? Math.max(0, leftMs - LEAVE_MS / 2) : Math.max(300, leftMs)
    const late = counted ? new Promise<void>(() => {}) : pause(limitMs, undefined, { ref: false })
    await Promise.race([last.final(), late])
    if (last.count === 0 && failure === null) {
      await Promise.race([last.fallback(), ...(interrupted ? [pause(500, undefined, { ref: false })] : [])])
      if (last.last?.reason === 'fallback') {
        const message = `no model was ready${failures()}: the result is the class frequencies of the training labels`
        recorder.event({ type: 'warning', message })
      }
    }
    if (failure !== null) return { error: failure }
    if (last.count > 0) return ending
    const why = interrupted ? 'interrupted' : 'the budget was used up'
    return {
      error: new AutomlError(
        'TRIAL',
        `${why} before a model was ready${failures()}`,
        interrupted ? EXIT.interrupted : EXIT.failed,
      ),
    }
  }

  /** The end came before the data were known: a run that had no time left is what it was, a new one has failed. */
  function nothingRead(ending: Exclude<Ending, { error: unknown }>): Ending {
    const interrupted = ending.status === 'interrupted'
    try {
      if (resumed) {
        lock.release = lockFolder(folder.lock, folder.root)
        standing = finishMilestones(folder).at(-1) ?? null
      }
    } catch (error) {
      return { error }
    }
    if (standing !== null) return ending
    return {
      error: new AutomlError(
        'TRIAL',
        `${interrupted ? 'interrupted' : 'the budget was used up'} before the data were read`,
        interrupted ? EXIT.interrupted : EXIT.failed,
        ...(interrupted ? [] : ['give a longer --budget']),
      ),
    }
  }

  function busy(): number[] {
    return pool.alive().filter((worker) => dispatcher.doing(worker) !== null)
  }

  async function settled(ms: number): Promise<void> {
    const until = clock.elapsedMs() + ms
    while (clock.elapsedMs() < until && busy().length > 0) await pause(10)
  }

  function failures(): string {
    const failed = dispatcher.trials.filter((trial) => trial.status === 'failed').length
    return failed === 0 ? '' : `; ${failed} of ${dispatcher.trials.length} trials failed`
  }

  function leaveWord(ending: Ending): void {
    const success = !('error' in ending)
    const status = 'error' in ending ? 'failed' : ending.status
    const reason = 'error' in ending ? (ending.error as Error).message : ending.reason
    const quality = publisher?.last?.quality ?? null
    recorder.event({
      type: 'end',
      status,
      milestones: publisher?.count ?? 0,
      nauc: quality?.nauc ?? null,
      accuracy: quality?.accuracy ?? null,
      reason,
    })
    if (!success) return
    const nowS = (startUnixMs + clock.elapsedMs()) / 1000
    writeEnd(folder.predictions, { durationS: clock.elapsedMs() / 1000, success, endTimeS: nowS })
    writeTrialsTable(folder, dispatcher.trials)
  }

  function outcome(status: 'done' | 'interrupted'): FitOutcome {
    const last = publisher?.last ?? standing
    return {
      status,
      exitCode: status === 'interrupted' ? EXIT.interrupted : EXIT.done,
      out: folder.root,
      milestones: publisher?.count ?? (standing === null ? 0 : standing.index + 1),
      nauc: last?.quality?.nauc ?? null,
      accuracy: last?.quality?.accuracy ?? null,
      latest: last === null ? null : `${folder.milestones}/${milestoneName(last.index)}`,
      elapsedMs: clock.elapsedMs(),
    }
  }
}

function tellMark({ name, atMs, cpuMs }: { name: string; atMs: number; cpuMs: number }): void {
  const { user, system } = process.cpuUsage()
  const main = Math.round((user + system) / 1000)
  process.stderr.write(`${name} at ${atMs.toFixed(0)} ms; processor time: worker ${cpuMs.toFixed(0)}, main ${main}\n`)
}

/** Unix seconds of the predictions so far, moved onto this session's start; by index. */
function predictionTimes(predictions: string, earlier: readonly MilestoneFacts[], startUnixMs: number): number[] {
  if (earlier.length === 0) return []
  const known = new Map<number, number>()
  let before = Number.NaN
  try {
    const start = readStart(predictions)
    before = start.startTimeS
    for (const [k, time] of start.timesS) known.set(k, time - before)
  } catch {
    // start.txt was never written or is gone: the milestones know their times.
  }
  return earlier.map(({ index, timeMs }) => startUnixMs / 1000 + (known.get(index) ?? timeMs / 1000))
}

/** What the disk refused a worker it will refuse main; records that one trial cannot read no other can. */
function isHopeless(code: string): code is ErrorCode {
  return code === 'OUTPUT_WRITE' || code === 'DATA_RECORD' || code === 'DATA_PICTURE'
}
