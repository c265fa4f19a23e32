// One process at a time works in a run folder. The file `lock` says which: its process id and, where /proc tells, when it was started,
// since ids are given again. A lock whose process is gone is taken over, so that a killed run can be resumed at once.
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { outputWriteError } from '../support/atomic-file.ts'
import { AutomlError, EXIT } from '../support/errors.ts'

interface Owner {
  pid: number
  /** Null where the system does not tell. */
  started: string | null
}

/** @returns gives the folder back. @throws OUTPUT_FOLDER (exit code 3): another process works in it. OUTPUT_WRITE */
export function lockFolder(path: string, root: string): () => void {
  for (;;) {
    try {
      const fd = openSync(path, 'wx')
      writeSync(fd, `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner)}\n`)
      closeSync(fd)
      return () => rmSync(path, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw outputWriteError(path, cause)
      const owner = ownerOf(path)
      if (owner !== null && owner.pid !== process.pid && isAlive(owner)) {
        throw new AutomlError(
          'OUTPUT_FOLDER',
          `${root}: process ${owner.pid} is working in this run folder`,
          EXIT.data,
          'wait for it or stop it, or choose another folder with --out DIR',
        )
      }
      rmSync(path, { force: true })
    }
  }
}

/** Null when the file is gone or was cut short. */
function ownerOf(path: string): Owner | null {
  try {
    const { pid, started } = JSON.parse(readFileSync(path, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? { pid, started: typeof started === 'string' ? started : null } : null
  } catch {
    return null
  }
}

function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, but another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return started === null || startOf(pid) === started
}

/** Clock ticks from the machine's start to the process's, and which start of the machine that was; null where /proc does not say. */
function startOf(pid: number): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything; state is the first field behind it, the start the twentieth.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended'
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`
  } catch {
    return null
  }
}
