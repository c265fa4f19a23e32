// One session of a run: from the first message to the last milestone.
import { AutomlError } from '../support/errors.ts'
import type { FitHooks, FitOptions, FitOutcome } from './options.ts'

export async function runSession(options: FitOptions, _hooks: FitHooks): Promise<FitOutcome> {
  throw new AutomlError('WORKER', `${options.data}: no worker`)
}
