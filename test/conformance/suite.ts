// Registers the whole suite for one executor: every case against the reference, optimizers against theirs, networks against a
// training in float64. At the end one line with counts and the worst operators; with CONFORMANCE=full the table of all.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConstantData } from '../../src/graph/graph.ts'
import { graphCases } from './cases/cases.ts'
import type { Executor, Runner } from './executors.ts'
import { buildCase, type GraphCase, titleOf } from './graph-case.ts'
import type { Job } from './job.ts'
import { createReferenceEngine } from './reference/engine.ts'
import { interpret, toReference } from './reference/interpreter.ts'
import type { RefTensor } from './reference/tensor.ts'
import { summaryOf, type Tally } from './summary.ts'
import { relativeError, TOLERANCE, toleranceOf } from './tolerance.ts'
import { networkCases, optimizerCases, runTraining, type TrainingCase } from './trainings.ts'

/** Expected outputs by case, computed once for all executors of a file. */
const truths = new Map<string, Record<string, RefTensor>>()

function truthOf(c: GraphCase): Record<string, RefTensor> {
  const title = titleOf(c)
  const known = truths.get(title)
  if (known) return known
  const { graph, feeds } = buildCase(c)
  const inputs = Object.entries(feeds).map(([name, t]): [string, RefTensor] => [name, toReference(t)])
  const outputs = interpret(graph, Object.fromEntries(inputs))
  truths.set(title, outputs)
  return outputs
}

const trained = new Map<string, ReturnType<typeof runTraining>>()

function trainedReference(c: TrainingCase): ReturnType<typeof runTraining> {
  const known = trained.get(c.title) ?? runTraining(createReferenceEngine(), c)
  trained.set(c.title, known)
  return known
}

export function conformance(executor: Executor): void {
  describe(executor.name, () => {
    let runner: Runner | null = null
    let absent = ''
    const tally: Tally = { passed: 0, failed: 0, skipped: new Map(), worst: new Map() }

    beforeAll(async () => {
      const made = await executor.create()
      if ('skipped' in made) absent = made.skipped
      else runner = made
    }, 120_000)

    afterAll(async () => {
      await runner?.close()
      console.info(summaryOf(executor.name, tally, process.env.CONFORMANCE === 'full'))
    })

    /** Runs `body` where the executor is there and up to it, and counts what came of it. */
    function checked(job: Job, reason: string | undefined, body: (running: Runner) => Promise<void>): void {
      test(job.title, async (context) => {
        const why = reason ?? (absent || executor.skips?.(job))
        if (why) {
          tally.skipped.set(why, (tally.skipped.get(why) ?? 0) + 1)
          context.skip(why)
        }
        tally.failed++
        await body(runner!)
        tally.failed--
        tally.passed++
      })
    }

    function record(op: string, error: number): void {
      tally.worst.set(op, Math.max(tally.worst.get(op) ?? 0, error))
    }

    for (const c of graphCases) {
      const reason = c.only && !c.only.kinds.includes(executor.kind) ? c.only.reason : undefined
      const job: Job = { kind: 'case', title: titleOf(c) }
      checked(job, reason, async (running) => {
        const result = await running.run(job)
        if (result.kind !== 'case') throw new Error('the runner answered another question')
        for (const [name, expected] of Object.entries(truthOf(c))) {
          const { type, shape, data } = result.outputs[name]
          expect({ type, shape: [...shape] }, name).toEqual({ type: expected.type, shape: [...expected.shape] })
          const error = relativeError(data as ArrayLike<number>, expected, c.floor)
          record(c.op, error)
          const limit = toleranceOf(expected.type, c.op, executor.kind, c.slack)
          expect(
            error,
            `${name}: received [${preview(data)}], expected [${preview(expected.data)}]`,
          ).toBeLessThanOrEqual(limit)
        }
      })
    }

    for (const c of optimizerCases) {
      const job: Job = { kind: 'training', title: c.title }
      checked(job, undefined, async (running) => {
        const answer = await running.run(job)
        if (answer.kind !== 'training') throw new Error('the runner answered another question')
        const { start } = await startOf(c)
        const truth = c.truth!(start)
        const sets = [
          [answer.result.weights, truth.weights],
          [answer.result.averages, truth.averages ?? truth.weights],
        ] as const
        for (const [weights, { w, b }] of sets) {
          for (const [name, expected] of [
            ['linear_1.weight', w],
            ['linear_1.bias', b],
          ] as const) {
            const error = relativeError(weights[name], expected)
            record('optimizer', error)
            expect(
              error,
              `${name}: received [${preview(weights[name])}], expected [${preview(expected)}]`,
            ).toBeLessThan(TOLERANCE.trainedWeights)
          }
        }
      })
    }

    for (const c of networkCases) {
      const job: Job = { kind: 'training', title: c.title }
      checked(job, undefined, async (running) => {
        const answer = await running.run(job)
        if (answer.kind !== 'training') throw new Error('the runner answered another question')
        const { losses } = await trainedReference(c)
        const error = relativeError(answer.result.losses, losses)
        record('network, 20 steps', error)
        expect(losses.at(-1)).toBeLessThan(losses[0])
        expect(
          error,
          `losses: received [${preview(answer.result.losses)}], expected [${preview(losses)}]`,
        ).toBeLessThan(TOLERANCE.trainedLoss)
      })
    }
  })
}

/** Weights before the first step. */
async function startOf(c: TrainingCase): Promise<{ start: Record<string, Float32Array> }> {
  return { start: (await runTraining(createReferenceEngine(), { ...c, steps: 0 })).weights }
}

function preview(data: ArrayLike<number | bigint> | ConstantData): string {
  const numbers = Array.from(data as ArrayLike<number>)
  return numbers.slice(0, 24).join(', ') + (numbers.length > 24 ? ', ...' : '')
}
