// Files that others read appear whole, by rename; logs are appended and fsynced before anyone acts on them.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AutomlError, EXIT } from './errors.ts'

/** Where a file is written before it appears: hidden, since readers of the folder may take any name with the right beginning. */
export function stagedPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.part-${process.pid}`)
}

/** Whether a name is one of `stagedPath`. */
export function isStaged(name: string): boolean {
  return /^\..+\.part-\d+$/.test(name)
}

/** Writes to a temporary name in the same folder, fsyncs, renames. @throws OUTPUT_WRITE naming path and reason */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  const temporary = stagedPath(path)
  try {
    writeFileSynced(temporary, data)
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (cause) {
    // What was written of it would keep a full disk full.
    try {
      rmSync(temporary, { force: true })
    } catch {}
    throw outputWriteError(path, cause)
  }
}

/** Writes and fsyncs in place: for files inside a folder that itself appears by rename. */
export function writeFileSynced(path: string, data: string | Uint8Array): void {
  const fd = openSync(path, 'w')
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes a rename in `folder` durable. Some systems cannot fsync folders; that is not an error. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {}
}

export function outputWriteError(path: string, cause: unknown): AutomlError {
  if (cause instanceof AutomlError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  const reason =
    code === 'ENOSPC'
      ? 'no space left on the device'
      : code === 'EROFS' || code === 'EACCES'
        ? 'the folder is not writable'
        : (cause as Error).message
  return new AutomlError(
    'OUTPUT_WRITE',
    `${path}: cannot write: ${reason}`,
    EXIT.data,
    'choose another folder with --out DIR',
    cause,
  )
}
