// `automl predict`: scores of a published model for the test examples of a dataset.
import { formatDuration } from '../../support/units.ts'
import { defineCommand } from '../command.ts'
import { DEBUG_OPTION } from '../common-options.ts'
import { printResult, say } from '../output.ts'

export const predictCommand = defineCommand({
  name: 'predict',
  summary: 'class scores for the test examples of a dataset',
  arguments: [
    { name: 'model', summary: 'run folder, or a model.onnx' },
    {
      name: 'data',
      summary:
        'dataset folder whose inputs are like those the model learned from; the examples of test/ are scored, and train/ must be there too, with metadata and an example at least: it says what the inputs are',
    },
  ],
  options: {
    out: {
      kind: 'path',
      metavar: 'file',
      summary: 'file to write: .arrow, .csv, .parquet or .predict (default: CSV on stdout)',
    },
    at: {
      kind: 'duration',
      metavar: 'time',
      summary: 'the model that was in force that long after the run’s start (default: the newest)',
    },
    ...DEBUG_OPTION,
  },
  examples: [
    'automl predict runs/digits fixtures/digits --out scores.csv',
    'automl predict runs/digits fixtures/digits --at 10s --out early.predict',
    'automl predict runs/digits/milestones/0003/model.onnx fixtures/digits --out scores.parquet',
  ],
  async run({ arguments: [model, data], options }) {
    const { encode, predictionFormat, writePredictions } = await import('../predict/write-predictions.ts')
    if (options.out !== undefined) predictionFormat(options.out)
    const { findModel } = await import('../predict/find-model.ts')
    const found = findModel(model, options.at ?? null)
    const { runModel } = await import('../predict/run-model.ts')
    const predictions = await runModel(found, data)
    if (options.out === undefined) printResult((await encode('.csv', predictions)) as string)
    else {
      await writePredictions(options.out, predictions)
      const when = found.publishedMs === null ? '' : ` of ${formatDuration(found.publishedMs)}`
      const which = found.milestone === null ? 'the model' : `model ${String(found.milestone).padStart(4, '0')}${when}`
      say(`${predictions.ids.length} examples scored by ${which}`)
      printResult(options.out)
    }
    return 0
  },
})
