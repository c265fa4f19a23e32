// The journal of a run: JSON lines, append-only, each fsynced before anyone acts on it (Optuna's journal storage is the model).
// A line that a power cut tore is tolerated at the end, never in the middle: it is cut off when the journal is opened again.
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { outputWriteError } from '../support/atomic-file.ts'
import { AutomlError, EXIT } from '../support/errors.ts'

export interface Journal<Entry> {
  /** Returns when the line is on disk. @throws OUTPUT_WRITE */
  append(entry: Entry): void
  /** Without fsync: for lines whose loss costs nothing (progress of slices). The next `append` makes them durable too. */
  note(entry: Entry): void
  close(): void
}

/** Opens for appending; makes the file when there is none and cuts a torn last line. */
export function openJournal<Entry>(path: string): Journal<Entry> {
  const fd = attempt(path, () => openSync(path, 'a+'))
  const text = readFileSync(path)
  const whole = text.lastIndexOf(10) + 1
  if (whole < text.length) attempt(path, () => ftruncateSync(fd, whole))
  let size = whole
  const write = (entry: Entry) => {
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`)
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
      size += bytes.length
    } catch (cause) {
      // Half a line must not end up in the middle when there is room again for the next one.
      ftruncateSync(fd, size)
      throw outputWriteError(path, cause)
    }
  }
  return {
    append(entry) {
      write(entry)
      attempt(path, () => fsyncSync(fd))
    },
    note: write,
    close: () => closeSync(fd),
  }
}

/** All whole entries, oldest first. @throws OUTPUT_FOLDER naming the line that is not JSON */
export function readJournal<Entry>(path: string): Entry[] {
  const text = readFileSync(path, 'utf8')
  const lines = text.split('\n')
  // What follows the last newline is empty, or torn.
  lines.pop()
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as Entry
    } catch (cause) {
      const message = `${path}: line ${i + 1} is not JSON: the journal is damaged`
      throw new AutomlError('OUTPUT_FOLDER', message, EXIT.data, 'start a new run with another --out', cause)
    }
  })
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    throw outputWriteError(path, cause)
  }
}
