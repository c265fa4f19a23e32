// `automl fit`: one run from start to end. This file is its public face.
import type { FitHooks, FitOptions, FitOutcome } from './options.ts'

export type { FitHooks, FitOptions, FitOutcome } from './options.ts'
export { FIT_DEFAULTS, SEARCHES } from './options.ts'

/** @throws DataError, UsageError, AutomlError: everything a person can meet, with its exit code */
export async function runFit(options: FitOptions, hooks: FitHooks): Promise<FitOutcome> {
  const [{ runSession }, { choose }] = await Promise.all([
    import('./session.ts'),
    import('../engine/devices/choose.ts'),
  ])
  return runSession(options, hooks, await choose(options))
}
