// `automl inspect`: what the data are, what is wrong with them, which families would be tried and why. Learns nothing.
import { defineCommand } from '../command.ts'
import { DEBUG_OPTION, JSON_OPTION } from '../common-options.ts'
import { printJson, printResult } from '../output.ts'

export const inspectCommand = defineCommand({
  name: 'inspect',
  summary: 'what the data are, what is wrong with them, which family would be taken and why',
  arguments: [{ name: 'data', summary: 'dataset folder in the challenge format' }],
  options: { ...JSON_OPTION, ...DEBUG_OPTION },
  examples: ['automl inspect fixtures/digits', 'automl inspect fixtures/spam --json'],
  async run({ arguments: [data], options }) {
    const { describeInspection } = await import('../inspect/describe.ts')
    const { inspectDataset } = await import('../inspect/inspect-dataset.ts')
    const inspection = await inspectDataset(data)
    if (options.json) printJson({ v: 1, ...inspection })
    else printResult(describeInspection(inspection))
    return 0
  },
})
