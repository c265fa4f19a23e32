// `automl fit`: learn from a dataset within a time budget. Prints the run folder; everything said on the way goes to stderr,
// but with `--ui json` the events are the result.
import { basename, join, resolve } from 'node:path'
import { FIT_DEFAULTS, type FitOptions } from '../../run/options.ts'
import { UsageError } from '../../support/errors.ts'
import { createReporter } from '../../ui/create-reporter.ts'
import { defineCommand } from '../command.ts'
import { presetPath, readConfiguration } from '../configuration.ts'
import { earlierValues } from '../earlier-values.ts'
import { FIT_OPTIONS } from '../fit-options.ts'
import type { OptionValues } from '../option.ts'
import { printResult } from '../output.ts'

type FitValues = OptionValues<typeof FIT_OPTIONS>

export const fitCommand = defineCommand({
  name: 'fit',
  summary: 'learn from a dataset: a usable model within seconds, better ones until the budget ends',
  arguments: [{ name: 'data', summary: 'dataset folder in the challenge format' }],
  options: FIT_OPTIONS,
  examples: [
    'automl fit fixtures/digits --budget 60s',
    'automl fit fixtures/digits --budget 5m --out runs/digits --resume',
    'automl fit fixtures/spam --preset quick --ui json > events.jsonl',
  ],
  async run({ arguments: [data], options, given, worker }) {
    const values = withFiles(options, given)
    const fitOptions = toFitOptions(data, values, given)
    const interruption = new AbortController()
    const interrupt = () => interruption.abort()
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    const reporter = createReporter(values.ui)
    try {
      const { runFit } = await import('../../run/fit.ts')
      const outcome = await runFit(fitOptions, {
        onEvent: (event) => reporter.onEvent(event),
        signal: interruption.signal,
        ...(worker === undefined ? {} : { worker }),
      })
      await reporter.close()
      if (values.ui !== 'json') printResult(fitOptions.out)
      return outcome.exitCode
    } finally {
      await reporter.close()
    }
  },
})

/** The command line over `--config` over `--preset` over what the run that is resumed was asked for over defaults. */
function withFiles(options: FitValues, given: ReadonlySet<string>): FitValues {
  const preset = options.preset === undefined ? {} : readConfiguration(presetPath(options.preset), FIT_OPTIONS)
  const file = options.config === undefined ? {} : readConfiguration(options.config, FIT_OPTIONS)
  const typed = Object.fromEntries(Object.entries(options).filter(([name]) => given.has(name)))
  const asked: Partial<FitValues> = { ...preset, ...file, ...typed }
  const earlier = asked.resume && asked.out !== undefined ? earlierValues(asked.out) : {}
  return { ...options, ...earlier, ...asked }
}

function toFitOptions(data: string, values: FitValues, given: ReadonlySet<string>): FitOptions {
  if (values.resume && values.out === undefined) {
    throw new UsageError(
      '--resume: needs --out, the run folder to go on with',
      'automl fit <data> --out <run> --resume',
    )
  }
  if (values['max-slices'] !== undefined && values['slice-steps'] === undefined) {
    throw new UsageError(
      '--max-slices: needs --slice-steps',
      'counting slices only makes sense when slices are counted in steps',
    )
  }
  return {
    ...FIT_DEFAULTS,
    data,
    out: values.out ?? defaultOut(data),
    budgetMs: values.budget,
    seed: values.seed,
    engine: values.engine,
    device: values.device,
    workers: values.workers ?? null,
    threads: values.threads ?? null,
    memoryBytes: values.memory ?? null,
    search: values.search,
    families: values.families ?? null,
    preset: given.has('preset') ? (values.preset ?? null) : null,
    resume: values.resume,
    sliceSteps: values['slice-steps'] ?? null,
    maxSlices: values['max-slices'] ?? null,
    familyModules: values['family-modules'] ?? [],
  }
}

/** `runs/<dataset>-20260131-154500` */
function defaultOut(data: string): string {
  const name = basename(resolve(data)).replace(/\.data$/, '')
  const now = new Date()
  const pad = (n: number) => String(n).padStart(2, '0')
  const day = `${now.getFullYear()}${pad(now.getMonth() + 1)}${pad(now.getDate())}`
  return join('runs', `${name}-${day}-${pad(now.getHours())}${pad(now.getMinutes())}${pad(now.getSeconds())}`)
}
