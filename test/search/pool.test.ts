// Workers that end before anyone listens.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPool } from '../../src/search/pool.ts'
import { startWorker } from '../../src/search/start-worker.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()

describe('a worker that was started before there was a pool', () => {
  it('and has ended since is reported dead, once', async () => {
    const entry = join(folder, 'worker.mjs')
    writeFileSync(entry, 'process.exit(7)\n')
    const early = startWorker({ entry })
    await once(early.child, 'close')
    const deaths: string[] = []
    const pool = createPool(
      { entry, heapMb: () => 256 },
      { onMessage: () => {}, onDeath: (worker, reason) => deaths.push(`${worker}: ${reason}`) },
    )
    pool.add(0, early)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(deaths).toEqual(['0: exit code 7'])
    expect(pool.alive()).toEqual([])
  })
})
