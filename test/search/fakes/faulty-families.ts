// Learners that fail as real ones might: in the graph, in the engine, in training, and for want of memory. Used beside `fake-quick`.
import { createTrainer } from '../../../src/engine/trainer.ts'
import type { Family, TrialContext, TrialEvent } from '../../../src/families/family.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { linear } from '../../../src/graph/layers/linear.ts'
import { squaredError } from '../../../src/graph/losses.ts'
import { sgd } from '../../../src/graph/optimizers/sgd.ts'

type Act = (trial: TrialContext) => Promise<void>

function faulty(name: string, order: number, act: Act): Family {
  return {
    name,
    summary: `for tests: ${name}`,
    portfolio: () => [{ params: {}, order }],
    space: () => ({}),
    async *train(trial): AsyncGenerator<TrialEvent, void, void> {
      yield { type: 'progress', units: 0, of: null, note: 'about to fail' }
      await act(trial)
    },
  }
}

export const families: Family[] = [
  faulty('fault-op', -0.8, async () => {
    const g = new GraphBuilder()
    g.op('Telepathy', [g.input('x', 'float32', ['n', 2])])
  }),
  faulty('fault-kernel', -0.7, async ({ engine }) => {
    // A valid graph that onnxruntime has no kernel for.
    const g = new GraphBuilder()
    g.output('y', g.op('Elu', [g.input('x', 'float64', [2])]))
    await engine.compile(g.build())
  }),
  faulty('fault-shape', -0.6, async () => {
    const g = new GraphBuilder()
    g.op('MatMul', [g.input('a', 'float32', ['n', 3]), g.input('b', 'float32', [4, 2])])
  }),
  faulty('fault-feed', -0.5, async ({ engine }) => {
    const g = new GraphBuilder()
    g.output('y', g.op('Relu', [g.input('x', 'float32', ['n', 3])]))
    const executable = await engine.compile(g.build())
    await executable.run({ x: { type: 'float32', shape: [1, 4], data: new Float32Array(4) } })
  }),
  faulty('fault-nan', -0.4, async ({ engine, rng }) => {
    const trainer = await createTrainer(
      engine,
      {
        inputs: { x: { type: 'float32', shape: [2] } },
        targets: { target: { type: 'float32', shape: [1] } },
        forward: (net, { x }) => linear(net, x, 1),
        loss: (g, y, { target }) => squaredError(g, y, target),
      },
      { batch: 2, optimizer: sgd() },
    )
    const training = await trainer.start(rng)
    const x = { type: 'float32' as const, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }
    const target = { type: 'float32' as const, shape: [2, 1], data: Float32Array.of(5, 6) }
    for (let i = 0; i < 100; i++) await training.step({ x, target }, { lr: 1e18 })
  }),
  faulty('fault-tensor', -0.3, async ({ engine }) => {
    // 512 GB.
    const g = new GraphBuilder()
    const wide = g.op('Expand', [g.input('x', 'float32', [1, 1]), g.ints([2 ** 20, 2 ** 17])])
    g.output('y', g.op('Relu', [wide]))
    const executable = await engine.compile(g.build())
    await executable.run({ x: { type: 'float32', shape: [1, 1], data: Float32Array.of(1) } })
  }),
  faulty('fault-heap', -0.2, async () => {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 1e5 }, (_, i) => i + kept.length / 3))
  }),
  faulty('fault-killed', -0.1, killed),
  // Before every other: the run's first trial.
  faulty('fault-early', -100, killed),
  faulty('fault-stray', -100, async () => {
    setTimeout(() => {
      throw new Error('an error that nobody catches')
    })
    await new Promise(() => {})
  }),
  // More often than a worker is started again.
  {
    ...faulty('fault-always', -100, killed),
    portfolio: () => Array.from({ length: 10 }, (_, attempt) => ({ params: { attempt }, order: attempt })),
  },
]

async function killed(): Promise<void> {
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}
