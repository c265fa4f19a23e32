// Entry of a probe's process: takes a pair by message, answers by message, and ends itself by a signal that runs no destructor: native
// ones of drivers have been seen to crash after the answer.
import type { Working } from './outcome.ts'
import type { Pair } from './pair.ts'
import { tryPair, type Verdict } from './try-pair.ts'

/** What a probe says: `verified` before the long part, then `answer`. */
export type ProbeMessage = { type: 'verified'; outcome: Working } | { type: 'answer'; outcome: Verdict }

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', async (pair) => {
  const outcome = await tryPair(pair as Pair, (soFar) => say({ type: 'verified', outcome: soFar }))
  say({ type: 'answer', outcome }, () => process.kill(process.pid, 'SIGKILL'))
})

function say(message: ProbeMessage, said: () => void = () => {}): void {
  process.send?.(message, undefined, {}, said)
}
