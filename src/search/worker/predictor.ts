// Scores of a model for rows of a split: its head on stored front-end features, or its whole graph on raw inputs where it has no
// front end. Executables of the models asked about last stay open, since a candidate is first judged and then predicts.
import type { SplitName } from '../../dataset/batch.ts'
import type { TaskProfile } from '../../dataset/profile.ts'
import type { Engine, Executable } from '../../engine/engine.ts'
import type { Model } from '../../families/family.ts'
import { headGraph } from '../model-graph.ts'
import { feedBatches, type ReadRaw } from '../model-inputs.ts'
import { type FeatureStore, sizeOf, storedTensor } from './feature-store.ts'

export interface Predictor {
  /** [rows.length, K] */
  predict(model: Model, split: SplitName, rows: Int32Array): Promise<Float32Array>
}

interface Head {
  executable: Executable
  inputs: ReadonlySet<string>
  maxRows: number
}

const OPEN_HEADS = 2
/** Elements of features fed at once; convolutions hold many times their input. */
const FEED_ELEMENTS = 2 ** 22
const CONVOLUTION_ELEMENTS = 2 ** 19
/** Outputs from which on a model of raw inputs is fed fewer rows: graphs of lookups hold a value per token and output. */
const FEW_OUTPUTS = 16

/** @param onBatch called after each batch: many of them are a long silence */
export function createPredictor(
  engine: Engine,
  profile: TaskProfile,
  store: FeatureStore,
  read: ReadRaw,
  onBatch: () => void = () => {},
): Predictor {
  const heads = new Map<Model, Promise<Head>>()

  async function predict(model: Model, split: SplitName, rows: Int32Array): Promise<Float32Array> {
    const { classCount } = profile
    const scores = new Float32Array(rows.length * classCount)
    if (rows.length === 0) return scores
    const { executable, inputs, maxRows } = await open(model)
    const { front } = model
    const features = front !== null && inputs.has('x') ? await store.features(front, split, rows) : null
    const size = front === null ? 0 : sizeOf(front)
    const rawInputs = new Set([...inputs].filter((name) => name !== 'x'))
    if (rawInputs.size === 0) {
      for (let from = 0; from < rows.length; from += maxRows) {
        const count = Math.min(maxRows, rows.length - from)
        const feeds: Parameters<Executable['run']>[0] =
          features === null
            ? {}
            : { x: storedTensor(front!, features.subarray(from * size, (from + count) * size), count) }
        const output = (await executable.run(feeds)).scores.data as Float32Array
        scores.set(output.subarray(0, count * classCount), from * classCount)
        onBatch()
      }
      return scores
    }
    for await (const { positions, feeds } of feedBatches(read, profile, split, rows, { wanted: rawInputs, maxRows })) {
      if (features !== null) {
        const part =
          features instanceof Uint8Array
            ? new Uint8Array(positions.length * size)
            : new Float32Array(positions.length * size)
        for (const [i, at] of positions.entries()) part.set(features.subarray(at * size, (at + 1) * size), i * size)
        feeds.x = storedTensor(front!, part, positions.length)
      }
      const output = (await executable.run(feeds)).scores.data as Float32Array
      for (const [i, at] of positions.entries()) {
        scores.set(output.subarray(i * classCount, (i + 1) * classCount), at * classCount)
      }
      onBatch()
    }
    return scores
  }

  function open(model: Model): Promise<Head> {
    const head = heads.get(model) ?? compileHead(model)
    heads.delete(model)
    heads.set(model, head)
    head.catch(() => heads.delete(model))
    for (const [oldest, old] of heads) {
      if (heads.size <= OPEN_HEADS) break
      heads.delete(oldest)
      void old.then(({ executable }) => executable.release()).catch(() => {})
    }
    return head
  }

  async function compileHead(model: Model): Promise<Head> {
    const graph = headGraph(model, profile)
    const convolves = graph.nodes.some((node) => node.op.endsWith('Conv'))
    const size = model.front === null ? profile.trainBytes / 4 / Math.max(1, profile.trainCount) : sizeOf(model.front)
    const elements = convolves ? CONVOLUTION_ELEMENTS : FEED_ELEMENTS
    const outputs = model.front === null ? Math.max(1, (profile.classCount + 1) / FEW_OUTPUTS) : 1
    return {
      executable: await engine.compile(graph),
      inputs: new Set(graph.inputs.map((input) => input.name)),
      maxRows: Math.max(1, Math.floor(Math.min(4096, elements / Math.max(1, size)) / outputs)),
    }
  }

  return { predict }
}
