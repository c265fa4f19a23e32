// A learner on a device whose driver crashes: every process that trains elsewhere than on the processor dies by a signal. Each attempt
// is a trial of its own.
import type { Family, TrialEvent } from '../../../src/families/family.ts'

const ATTEMPTS = 4

const crashing: Family = {
  name: 'fault-driver',
  summary: 'for tests: trains on a device whose driver crashes',
  portfolio: () =>
    Array.from({ length: ATTEMPTS }, (_, attempt) => ({ params: { attempt }, order: -0.5 + attempt / 10 })),
  space: () => ({}),
  async *train({ engine, networkEngine = engine }): AsyncGenerator<TrialEvent, void, void> {
    yield { type: 'progress', units: 0, of: null, note: 'about to train' }
    if (networkEngine.device !== 'cpu') {
      process.kill(process.pid, 'SIGSEGV')
      await new Promise(() => {})
    }
    yield { type: 'progress', units: 1, of: null, note: `trained on ${networkEngine.name} ${networkEngine.device}` }
  },
}

export const families: Family[] = [crashing]
