// What an executor is asked to do, and does: run one case, or one training. The same code serves an engine in this process and one
// behind a process boundary; jobs are named, since both sides have the lists.
import type { Engine, Tensor } from '../../src/engine/engine.ts'
import { graphCases } from './cases/cases.ts'
import { buildCase, titleOf } from './graph-case.ts'
import { networkCases, optimizerCases, runTraining, type TrainingResult } from './trainings.ts'

export type Job = { kind: 'case'; title: string } | { kind: 'training'; title: string }
export type JobResult = { kind: 'case'; outputs: Record<string, Tensor> } | { kind: 'training'; result: TrainingResult }

export async function runJob(engine: Engine, job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'case': {
      const { graph, feeds } = buildCase(graphCases.find((c) => titleOf(c) === job.title)!)
      const run = await engine.compile(graph)
      try {
        return { kind: 'case', outputs: await run.run(feeds) }
      } finally {
        await run.release()
      }
    }
    case 'training': {
      const training = [...optimizerCases, ...networkCases].find((c) => c.title === job.title)!
      return { kind: 'training', result: await runTraining(engine, training) }
    }
    default:
      return job satisfies never
  }
}
