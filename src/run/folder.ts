// The run folder: where everything is, and whether this run may have it. Nothing is written before the data are known to be
// usable.
//   run.json  journal.jsonl  milestones/<index>/  latest  predictions/  trials/<id>/  cache/  trials.arrow  lock
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { isStaged, outputWriteError } from '../support/atomic-file.ts'
import { AutomlError, EXIT } from '../support/errors.ts'

export interface RunFolder {
  root: string
  runJson: string
  journal: string
  milestones: string
  latest: string
  predictions: string
  trials: string
  cache: string
  trialsArrow: string
  /** Holds the process id of whoever works here. */
  lock: string
}

export function runFolder(out: string): RunFolder {
  const root = resolve(out)
  return {
    root,
    runJson: join(root, 'run.json'),
    journal: join(root, 'journal.jsonl'),
    milestones: join(root, 'milestones'),
    latest: join(root, 'latest'),
    predictions: join(root, 'predictions'),
    trials: join(root, 'trials'),
    cache: join(root, 'cache'),
    trialsArrow: join(root, 'trials.arrow'),
    lock: join(root, 'lock'),
  }
}

/**
 * Whether there is a run to go on with. Creates nothing.
 * @throws OUTPUT_FOLDER (exit code 3): something else is there. OUTPUT_WRITE: it cannot be written
 */
export function checkFolder(folder: RunFolder, resume: boolean): 'fresh' | 'resume' {
  const { root } = folder
  checkWritable(root)
  if (!existsSync(root)) return 'fresh'
  if (!statSync(root).isDirectory()) throw refusal(root, 'is a file', 'choose another folder with --out DIR')
  const names = readdirSync(root)
  if (names.length === 0) return 'fresh'
  if (existsSync(folder.runJson)) {
    if (resume) return 'resume'
    throw refusal(root, 'holds another run', 'go on with it by --resume, or choose another folder with --out DIR')
  }
  // A run that was killed before it could say what it is has left at most these.
  if (resume && names.every((name) => isOwn(folder, name))) {
    for (const name of names) rmSync(join(root, name), { recursive: true, force: true })
    return 'fresh'
  }
  throw refusal(root, 'is not empty and holds no run', 'choose another folder with --out DIR')
}

/** @throws OUTPUT_WRITE */
export function createFolder(folder: RunFolder): void {
  try {
    for (const path of [folder.root, folder.milestones, folder.predictions, folder.trials]) {
      mkdirSync(path, { recursive: true })
    }
  } catch (cause) {
    throw outputWriteError(folder.root, cause)
  }
}

/** The newest milestone's name, or null. */
export function readLatest(folder: RunFolder): string | null {
  try {
    const name = readFileSync(folder.latest, 'utf8').trim()
    return name === '' ? null : name
  } catch {
    return null
  }
}

export function milestoneName(index: number): string {
  return String(index).padStart(4, '0')
}

function isOwn(folder: RunFolder, name: string): boolean {
  const own = [folder.journal, folder.milestones, folder.predictions, folder.trials, folder.cache, folder.lock]
  return own.includes(join(folder.root, name)) || isStaged(name)
}

/** The folder itself, or the nearest one above it that exists. */
function checkWritable(path: string): void {
  let existing = path
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  try {
    accessSync(existing, constants.W_OK)
    // Asking for one folder first: on file systems that take none (such as /proc), a recursive mkdir never returns.
    const first = existing === path ? null : join(existing, relative(existing, path).split(sep)[0])
    if (first !== null) {
      mkdirSync(first)
      rmdirSync(first)
    }
  } catch (cause) {
    throw outputWriteError(path, cause)
  }
}

export function refusal(path: string, what: string, hint: string, cause?: unknown): AutomlError {
  return new AutomlError('OUTPUT_FOLDER', `${path}: ${what}`, EXIT.data, hint, cause)
}
