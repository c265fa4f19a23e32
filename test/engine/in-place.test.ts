// A training step on a processor allocates nothing of the size of its state: next values are written in place and not copied after.
import { afterAll, expect, test } from 'vitest'
import { createOnnxEngine } from '../../src/engine/onnx/engine.ts'
import { isStop } from '../../src/engine/onnx/in-place.ts'
import { createTrainer } from '../../src/engine/trainer.ts'
import { linear } from '../../src/graph/layers/linear.ts'
import { squaredError } from '../../src/graph/losses.ts'
import { adamW } from '../../src/graph/optimizers/adamw.ts'
import { Rng } from '../../src/support/rng.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const SIZE = 1024
const definition: Parameters<typeof createTrainer>[1] = {
  inputs: { x: { type: 'float32', shape: [SIZE] } },
  targets: { target: { type: 'float32', shape: [SIZE] } },
  forward: (net, { x }) => linear(net, x, SIZE),
  loss: (g, y, { target }) => squaredError(g, y, target),
}

test('steps leave no arrays of the size of the state behind', async () => {
  const trainer = await createTrainer(engine, definition, { batch: 1, optimizer: adamW() })
  const training = await trainer.start(Rng.fromSeed(1))
  const row = { type: 'float32', shape: [1, SIZE], data: new Float32Array(SIZE).fill(1) } as const
  const grown: number[] = []
  const losses: number[] = []
  for (let step = 0; step < 9; step++) {
    const before = process.memoryUsage().arrayBuffers
    losses.push(await training.step({ x: row, target: row }, { lr: 1e-3 }))
    grown.push(process.memoryUsage().arrayBuffers - before)
  }
  // The first steps make the second set of arrays; a collection in between only lowers a difference.
  expect(Math.max(...grown.slice(2))).toBeLessThan(SIZE * SIZE)
  expect(losses.at(-1)!).toBeLessThan(losses[0])
  await training.release()
  await trainer.release()
})

test('errors of the run itself are not taken for the end of a run', async () => {
  expect(isStop(new Error('Non tensor type is temporarily not supported.'))).toBe(true)
  expect(isStop(new Error('Got invalid dimensions for input: x'))).toBe(false)
  const trainer = await createTrainer(engine, definition, { batch: 1, optimizer: adamW() })
  const training = await trainer.start(Rng.fromSeed(1))
  await expect(training.step({})).rejects.toThrow('x')
  await training.release()
  await trainer.release()
})
