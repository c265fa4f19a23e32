// trials.arrow: what was tried, one row a trial; an Arrow IPC file.
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import type { Trial } from '../search/trial.ts'
import { writeFileAtomic } from '../support/atomic-file.ts'
import type { RunFolder } from './folder.ts'

export function writeTrialsTable(folder: RunFolder, trials: readonly Trial[]): void {
  if (trials.length === 0) return
  const table = tableFromArrays({
    trial: trials.map(({ id }) => id),
    family: trials.map(({ family }) => family),
    tuner: trials.map(({ tuner }) => tuner),
    params: trials.map(({ params }) => JSON.stringify(params)),
    status: trials.map(({ status }) => status),
    slices: Int32Array.from(trials, ({ slices }) => slices),
    spent: Float64Array.from(trials, ({ spent }) => spent),
    objective: Float64Array.from(trials, ({ best }) => best ?? Number.NaN),
  })
  writeFileAtomic(folder.trialsArrow, tableToIPC(table, 'file'))
}
