// How many neighbours vote and how fast votes fade, chosen by leaving each judging row out of its own vote: that costs one search
// for neighbours however many votes are compared. The measure is the log loss, as for other heads.
import type { Engine, Tensor } from '../../engine/engine.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import { fitScale, logLoss } from '../common/calibration.ts'
import type { Targets } from '../common/label-statistics.ts'
import { type Neighbourhood, nearest, type Vote, votersOf, weightOf } from './vote.ts'

/** Numbers of neighbours compared, powers of their votes, votes of the class frequencies. */
const NEIGHBOURS = [4, 8, 16, 32, 64, 128] as const
const POWERS = [1, 3] as const
const PRIORS = [0.1, 0.5, 2] as const
/** Distances held at once. */
const CHUNK_VALUES = 4e6

/** Neighbours of the judging rows among all rows but themselves. */
interface Found {
  /** Neighbours kept of each row. */
  count: number
  /** [judges.length, count] ascending */
  squared: Float32Array
  indices: Int32Array
}

/**
 * @param judges rows, by index, that are left out in turn
 * Yields judging rows done.
 */
export async function* chooseVote(
  engine: Engine,
  stored: Neighbourhood,
  targets: Targets,
  judges: Int32Array,
): AsyncGenerator<number, Vote, void> {
  const m = targets.weights.length
  const found = yield* findNeighbours(engine, stored.rows, m, judges)
  const held = heldTargets(targets, judges)
  let best: { vote: Vote; loss: number } | null = null
  for (const neighbours of NEIGHBOURS) {
    // Judged rows see one row less than the model will.
    if (best !== null && neighbours > m - 2) break
    for (const power of POWERS) {
      for (const prior of PRIORS) {
        const logits = votesOf(found, stored, targets.link, { neighbours, power, prior })
        const scale = fitScale(logits, held, 0.2, 10)
        const loss = logLoss(logits, held, scale)
        if (best === null || loss < best.loss) best = { vote: { neighbours, power, prior, scale }, loss }
      }
    }
    yield judges.length
  }
  return best!.vote
}

async function* findNeighbours(
  engine: Engine,
  rows: Float32Array,
  m: number,
  judges: Int32Array,
): AsyncGenerator<number, Found, void> {
  const d = rows.length / m
  const count = Math.min(m - 1, NEIGHBOURS[NEIGHBOURS.length - 1] + 1)
  const squared = new Float32Array(judges.length * count)
  const indices = new Int32Array(judges.length * count)
  const search = await engine.compile(searchGraph(d, count + 1))
  try {
    const chunk = Math.max(1, Math.min(512, Math.floor(CHUNK_VALUES / m)))
    const all: Tensor = { type: 'float32', shape: [m, d], data: rows }
    for (let from = 0; from < judges.length; from += chunk) {
      const part = judges.subarray(from, from + chunk)
      const x = gatherRows(rows, d, part)
      const out = await search.run({ x: { type: 'float32', shape: [part.length, d], data: x }, rows: all })
      const distances = out.squared.data as Float32Array
      const places = out.indices.data as BigInt64Array
      for (let i = 0; i < part.length; i++) {
        // Itself is among the nearest, unless so many are equal to it that any of them may be left out instead.
        for (let j = 0, kept = 0; kept < count && j <= count; j++) {
          const at = i * (count + 1) + j
          const index = Number(places[at])
          if (index === part[i]) continue
          squared[(from + i) * count + kept] = distances[at]
          indices[(from + i) * count + kept++] = index
        }
      }
      yield from + part.length
    }
  } finally {
    await search.release()
  }
  return { count, squared, indices }
}

function searchGraph(d: number, count: number) {
  const g = new GraphBuilder()
  const { squared, indices } = nearest(
    g,
    g.input('x', 'float32', ['n', d]),
    g.input('rows', 'float32', ['m', d]),
    count,
  )
  g.output('squared', squared)
  g.output('indices', indices)
  return g.build()
}

/** Logarithms or log odds of the shares of votes, [judges.length, K]. */
function votesOf(
  { count, squared, indices }: Found,
  { targets, priors }: Neighbourhood,
  link: Targets['link'],
  { neighbours, power, prior }: Omit<Vote, 'scale'>,
): Float32Array {
  const k = priors.length
  const voters = votersOf(neighbours, count)
  const outside = Math.min(count - 1, voters)
  const out = new Float32Array((squared.length / count) * k)
  for (let at = 0, to = 0; at < squared.length; at += count, to += k) {
    let sum = prior
    for (let c = 0; c < k; c++) out[to + c] = prior * priors[c]
    for (let j = 0; j < voters; j++) {
      const weight = weightOf(squared[at + j], squared[at + outside], power)
      if (weight === 0) continue
      sum += weight
      const from = indices[at + j] * k
      for (let c = 0; c < k; c++) out[to + c] += weight * targets[from + c]
    }
    for (let c = to; c < to + k; c++) {
      const share = out[c] / sum
      out[c] = Math.log(Math.max(1e-6, share)) - (link === 'softmax' ? 0 : Math.log(Math.max(1e-6, 1 - share)))
    }
  }
  return out
}

function heldTargets(targets: Targets, rows: Int32Array): Targets {
  const weights = Float32Array.from(rows, (row) => targets.weights[row])
  const values = gatherRows(targets.values, targets.classCount, rows)
  return { ...targets, values, weights, weightSum: weights.reduce((sum, w) => sum + w, 0) }
}

function gatherRows(values: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i] * width, (rows[i] + 1) * width), i * width)
  return out
}
