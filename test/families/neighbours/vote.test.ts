// Votes against a slow reference, and the choice of the vote on rows whose best vote is known.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.ts'
import { classPriors, targetsOf } from '../../../src/families/common/label-statistics.ts'
import { chooseVote } from '../../../src/families/neighbours/choose-vote.ts'
import { classShareOfSpread } from '../../../src/families/neighbours/relevance.ts'
import { EQUAL, type Neighbourhood, neighbourScores } from '../../../src/families/neighbours/vote.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from '../fronts/run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const rows = (n: number) => Int32Array.from({ length: n }, (_, i) => i)
function normals(length: number, seed: number, scale = 1) {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length }, () => scale * rng.normal())
}

function neighbourhood(m: number, d: number, k: number): { stored: Neighbourhood; labels: Float32Array } {
  const x = normals(m * d, 1, 1 / Math.sqrt(d))
  const labels = Float32Array.from({ length: m * k }, (_, i) => +(i % k === Math.floor(i / k) % k))
  const priors = Float32Array.from(classPriors(targetsOf('softmax', labels, k, rows(m))))
  return { stored: { rows: x, targets: labels, priors }, labels }
}

describe('scores', () => {
  const [m, d, k] = [50, 4, 3]
  const { stored } = neighbourhood(m, d, k)
  const vote = { neighbours: 7, power: 3, prior: 0.5, scale: 2 }
  const n = 9
  const x = normals(n * d, 2, 1 / Math.sqrt(d))
  const fed = { x: { declared: ['n', d], shape: [n, d], data: x } }

  test('equal shares of faded votes, sharpened', async () => {
    const { data } = await runGraph(engine, fed, (g, v) => neighbourScores(g, v.x, stored, vote, 'softmax'))
    for (let i = 0; i < n; i++) {
      const squared = Array.from(rows(m), (row) => {
        let sum = 0
        for (let j = 0; j < d; j++) sum += (x[i * d + j] - stored.rows[row * d + j]) ** 2
        return { row, sum }
      }).sort((a, b) => a.sum - b.sum)
      const shares = [...stored.priors].map((p) => p * vote.prior)
      for (const { row, sum } of squared.slice(0, vote.neighbours))
        shares[row % k] += (1 - sum / (squared[vote.neighbours].sum + EQUAL)) ** vote.power
      const sharp = shares.map((share) => share ** vote.scale)
      const total = sharp.reduce((a, b) => a + b)
      for (let c = 0; c < k; c++) expect(data[i * k + c]).toBeCloseTo(sharp[c] / total, 4)
    }
  })

  test.each(['softmax', 'sigmoid'] as const)('of %s are the same on TensorFlow.js', async (link) => {
    const other = await createTfjsEngine()
    const build: Parameters<typeof runGraph>[2] = (g, v) => neighbourScores(g, v.x, stored, vote, link)
    const [a, b] = [await runGraph(engine, fed, build), await runGraph(other, fed, build)]
    for (let i = 0; i < n * k; i++) expect(Math.abs(a.data[i] - b.data[i])).toBeLessThan(1e-4)
    await other.close()
  })

  test('hardly change where one neighbour takes the place of another', async () => {
    const line: Neighbourhood = {
      rows: Float32Array.of(-1, 0, 1),
      targets: Float32Array.of(1, 0, 0, 1, 1, 0),
      priors: Float32Array.of(0.6, 0.4),
    }
    const two = { neighbours: 2, power: 1, prior: 0.1, scale: 1 }
    const at = { x: { shape: [2, 1], data: Float32Array.of(-1e-5, 1e-5) } }
    const { data } = await runGraph(engine, at, (g, v) => neighbourScores(g, v.x, line, two, 'softmax'))
    expect(Math.abs(data[0] - data[2])).toBeLessThan(1e-4)
  })
})

describe('the chosen vote', () => {
  async function choose(labelOf: (i: number, x: Float32Array) => boolean) {
    const [m, d] = [200, 2]
    const x = normals(m * d, 3, 1 / Math.sqrt(d))
    const labels = Float32Array.from({ length: 2 * m }, (_, i) => +(labelOf(i >> 1, x) === (i % 2 === 1)))
    const targets = targetsOf('softmax', labels, 2, rows(m))
    const stored = { rows: x, targets: targets.values, priors: Float32Array.from(classPriors(targets)) }
    const steps = chooseVote(engine, stored, targets, rows(m))
    for (;;) {
      const step = await steps.next()
      if (step.done) return step.value
    }
  }

  test('asks many neighbours where labels are noise, few where places decide', async () => {
    const rng = Rng.fromSeed(4)
    const coins = Array.from({ length: 200 }, () => rng.uniform() < 0.5)
    const noise = await choose((i) => coins[i])
    const rings = await choose((i, x) => Math.floor(3 * Math.hypot(x[2 * i], x[2 * i + 1])) % 2 === 0)
    expect(noise.neighbours).toBeGreaterThan(rings.neighbours)
    expect(noise.scale).toBeLessThan(rings.scale)
  })
})

test('a column that only differs between classes has share 1, one without difference 0', () => {
  const labels = Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1)
  const targets = targetsOf('softmax', labels, 2, rows(4))
  const x = Float32Array.of(1, 1, 0, 1, -1, 0, -1, 1, 0, -1, -1, 0)
  const shares = classShareOfSpread(x, 3, targets)
  expect(shares[0]).toBeCloseTo(1, 5)
  expect(shares[1]).toBeCloseTo(0, 5)
  expect(shares[2]).toBe(0)
})
