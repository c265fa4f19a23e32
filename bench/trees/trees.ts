// Boosting and extremely randomised trees against scikit-learn and LightGBM, one thread each, CPU seconds of fitting (coding of
// features included) and accuracy on held-out rows of a generated table; printed as ratios peer / ours.
//   PYTHON=python3 npm run bench:trees
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBooster } from '../../src/families/trees/booster.ts'
import { denseCodes } from '../../src/families/trees/codes.ts'
import { labelLists } from '../../src/families/trees/label-lists.ts'
import { scoresOfMargins } from '../../src/families/trees/objective.ts'
import { randomTreeGrower } from '../../src/families/trees/random-trees.ts'
import { TreeStore } from '../../src/families/trees/tree-store.ts'
import { Rng } from '../../src/support/rng.ts'

const ROUNDS = 60
const TREES = 60

interface Result {
  name: string
  seconds: number
  accuracy: number
  missing?: string
}

interface Table {
  features: number
  classes: number
  trainCount: number
  /** [n, features], training rows first. */
  values: Float32Array
  classOf: Int32Array
}

/** Classes are the nearest of a few random centres each, in half of the columns; the rest is noise. */
function generate(n: number, features: number, classes: number): Table {
  const rng = Rng.fromSeed(classes)
  const centres = Float32Array.from({ length: classes * 3 * features }, () => rng.normal())
  const values = new Float32Array(n * features)
  const classOf = new Int32Array(n)
  for (let i = 0; i < n; i++) {
    const centre = rng.below(classes * 3)
    classOf[i] = centre % classes
    for (let f = 0; f < features; f++) {
      values[i * features + f] = (f % 2 === 0 ? centres[centre * features + f] : 0) + 0.9 * rng.normal()
    }
  }
  return { features, classes, trainCount: Math.floor(n * 0.8), values, classOf }
}

/** Best of three: the machine is seldom ours alone. */
function timed(name: string, fit: () => () => number): Result {
  let seconds = Number.POSITIVE_INFINITY
  let accuracy = 0
  for (let repeat = 0; repeat < 3; repeat++) {
    const start = process.cpuUsage()
    const judge = fit()
    const { user, system } = process.cpuUsage(start)
    seconds = Math.min(seconds, (user + system) / 1e6)
    accuracy = judge()
  }
  return { name, seconds, accuracy }
}

function ours(table: Table, outputs: 'separate' | 'shared'): Result[] {
  const { values, features, classes, classOf, trainCount } = table
  const n = classOf.length
  const labels = new Float32Array(n * classes)
  for (let i = 0; i < n; i++) labels[i * classes + classOf[i]] = 1
  const rows = Int32Array.from({ length: n }, (_, i) => i)
  const train = rows.slice(0, trainCount)
  const test = rows.slice(trainCount)
  const accuracy = (scores: Float32Array) => {
    let right = 0
    for (let i = 0; i < test.length; i++) {
      let best = 0
      for (let k = 1; k < classes; k++) if (scores[i * classes + k] > scores[i * classes + best]) best = k
      if (best === classOf[test[i]]) right++
    }
    return right / test.length
  }
  const boosting = timed(`boosting, ${outputs} trees`, () => {
    const codes = denseCodes(values, n, features)
    const booster = createBooster({
      codes,
      labels,
      classes,
      link: 'softmax',
      train,
      watched: test,
      rng: Rng.fromSeed(1),
      store: null,
      options: {
        learningRate: 0.1,
        leaves: outputs === 'shared' ? 127 : 31,
        maxDepth: 60,
        minRows: outputs === 'shared' ? 5 : 20,
        minHessian: 1e-3,
        l2: outputs === 'shared' ? 1 : 1e-3,
        minGain: 0,
        categorySmoothing: 10,
        categoryL2: 10,
        outputs,
        sketch: 3,
        rowShare: 1,
        featureShare: 1,
        balance: 0,
      },
    })
    while (booster.rounds < ROUNDS) for (const _ of booster.step());
    return () => accuracy(scoresOfMargins(booster.objective, booster.margins, test))
  })
  const forest = timed('extremely randomised trees', () => {
    const codes = denseCodes(values, n, features)
    const options = { split: 'random', tried: Math.round(Math.sqrt(features)), minLeaf: 1, maxDepth: 100 } as const
    const grower = randomTreeGrower(codes, labelLists(labels, classes), options)
    const store = new TreeStore()
    const weights = new Float32Array(n).fill(1)
    for (let t = 0; t < TREES; t++) for (const _ of grower.grow(store, train.slice(), weights, Rng.fromSeed(t)));
    return () => {
      const votes = new Float32Array(n * classes)
      store.addScores(codes, test, votes, classes)
      return accuracy(votes.subarray(trainCount * classes))
    }
  })
  return [boosting, forest]
}

function peers({ values, classOf, features, trainCount }: Table): Result[] | string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-trees-'))
  try {
    writeFileSync(join(folder, 'x'), values.subarray(0, trainCount * features))
    writeFileSync(join(folder, 'xt'), values.subarray(trainCount * features))
    writeFileSync(join(folder, 'y'), classOf.subarray(0, trainCount))
    writeFileSync(join(folder, 'yt'), classOf.subarray(trainCount))
    writeFileSync(join(folder, 'shape.json'), JSON.stringify({ features }))
    const peer = fileURLToPath(new URL('../bench/trees/peer.py', import.meta.url))
    const args = [peer, folder, `${ROUNDS}`, `${TREES}`]
    const out = execFileSync(process.env.PYTHON ?? 'python3', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Result)
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1)!
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const format = ({ name, seconds, accuracy, missing }: Result) =>
  missing
    ? `${name.padEnd(34)} skipped: ${missing}`
    : `${name.padEnd(34)} ${seconds.toFixed(2)} s  accuracy ${accuracy.toFixed(4)}`

for (const [n, features, classes, outputs] of [
  [20_000, 30, 2, 'separate'],
  [20_000, 30, 5, 'separate'],
  [20_000, 16, 26, 'shared'],
] as const) {
  const table = generate(n, features, classes)
  console.log(`\n${n} rows, ${features} features, ${classes} classes; ${ROUNDS} rounds, ${TREES} trees`)
  const mine = ours(table, outputs)
  for (const result of mine) console.log(format(result))
  const others = peers(table)
  if (typeof others === 'string') {
    console.log(`peers skipped: ${others}`)
    continue
  }
  for (const result of others) {
    const against = mine[result.name.endsWith('ExtraTrees') ? 1 : 0]
    const ratio = result.missing ? '' : `  ratio ${(result.seconds / against.seconds).toFixed(2)}x`
    console.log(`${format(result)}${ratio}`)
  }
}
