// One process at a time in a run folder, whatever happened to the one before.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lockFolder } from '../../src/run/lock.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const path = join(folder, 'lock')
const sleeper = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' })
afterAll(() => sleeper.kill('SIGKILL'))

const owner = () => JSON.parse(readFileSync(path, 'utf8')).pid

describe('a run folder', () => {
  it('is given back', () => {
    const release = lockFolder(path, folder)
    expect(owner()).toBe(process.pid)
    release()
    expect(existsSync(path)).toBe(false)
  })

  it('that a living process works in is refused, with its id', () => {
    writeFileSync(path, JSON.stringify({ pid: sleeper.pid, started: null }))
    expect(() => lockFolder(path, folder)).toThrow(`process ${sleeper.pid} is working in this run folder`)
    expect(owner()).toBe(sleeper.pid)
  })

  it.skipIf(!existsSync('/proc/self/stat'))('of an id that was given again is taken over', () => {
    writeFileSync(path, JSON.stringify({ pid: sleeper.pid, started: '1 another-boot' }))
    lockFolder(path, folder)()
  })

  it.each([
    ['cut short', '{"pid": 1'],
    ['empty', ''],
  ])('whose lock was %s is taken over', (_title, text) => {
    writeFileSync(path, text)
    const release = lockFolder(path, folder)
    expect(owner()).toBe(process.pid)
    release()
  })

  it('of a process that is gone is taken over', async () => {
    const gone = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
    await once(gone, 'exit')
    writeFileSync(path, JSON.stringify({ pid: gone.pid, started: null }))
    lockFolder(path, folder)()
  })
})
