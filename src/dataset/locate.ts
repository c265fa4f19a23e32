// Where a dataset's files are (challenge format, section 1), given its folder, its `*.data` folder, or any folder with train/.
// Records are all files `sample*` of a split, sorted by name. Names become file names of a run, so they must not be paths.
import { existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DataError } from '../support/errors.ts'

export interface SplitFiles {
  folder: string
  /** Null when the split has none of its own. */
  metadata: string | null
  /** Sorted by name; empty for an empty split. */
  records: string[]
}

export interface DatasetFiles {
  /** The `*.data` folder's name without its ending. */
  name: string
  /** The folder that holds train/ and test/. */
  folder: string
  train: SplitFiles
  test: SplitFiles | null
  /** Organiser's true labels of the test split, where they lie beside the data. Reading a dataset never opens it. */
  solution: string | null
}

/** @throws DATA_MISSING when there is no such folder, not exactly one `*.data`, or no training data in it */
export function locateDataset(path: string): DatasetFiles {
  const folder = dataFolder(resolve(path))
  const name = basename(folder).replace(/\.data$/, '')
  checkName(name, folder)
  const train = splitFiles(join(folder, 'train'))
  if (train === null) throw missing(folder, 'has no folder train/')
  if (train.metadata === null) throw missing(train.folder, 'has no metadata.textproto')
  if (train.records.length === 0) throw missing(train.folder, 'has no record files (sample*)')
  const solution = [dirname(folder), folder].map((place) => join(place, `${name}.solution`)).find(existsSync)
  return { name, folder, train, test: splitFiles(join(folder, 'test')), solution: solution ?? null }
}

function dataFolder(path: string): string {
  if (!isFolder(path)) {
    throw missing(
      path,
      existsSync(path) ? 'is not a folder' : 'does not exist',
      'give the dataset folder, the one that holds <name>.data',
    )
  }
  if (isFolder(join(path, 'train'))) return path
  const inside = listFolder(path).filter((entry) => entry.endsWith('.data') && isFolder(join(path, entry)))
  if (inside.length === 1) return join(path, inside[0])
  if (inside.length === 0) {
    throw missing(
      path,
      'holds neither a *.data folder nor train/',
      'give the dataset folder, the one that holds <name>.data',
    )
  }
  throw missing(
    path,
    `holds ${inside.length} *.data folders (${inside.slice(0, 4).join(', ')}); must be one`,
    'give one of them',
  )
}

function splitFiles(folder: string): SplitFiles | null {
  if (!isFolder(folder)) return null
  const entries = listFolder(folder)
  return {
    folder,
    metadata: entries.includes('metadata.textproto') ? join(folder, 'metadata.textproto') : null,
    records: entries
      .filter((entry) => entry.startsWith('sample'))
      .map((entry) => join(folder, entry))
      .filter((file) => statsOf(file)?.isFile() ?? refuse(file)),
  }
}

function checkName(name: string, folder: string): void {
  const printable = [...name].every((character) => character >= ' ' && character !== '\x7f')
  if (printable && name !== '' && name !== '.' && name !== '..' && !/[/\\]/.test(name)) return
  throw new DataError('DATA_MISSING', {
    file: folder,
    field: 'dataset name',
    value: name,
    rule: 'must be a plain file name: not empty, ".", ".." or a path',
  })
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    throw new DataError('DATA_MISSING', { file: folder, rule: 'the folder cannot be read', cause })
  }
}

function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() ?? false
}

/** Undefined when there is nothing. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw new DataError('DATA_MISSING', { file: path, rule: 'cannot be reached', cause })
  }
}

/** A listed name without a file behind it: part of the data is gone. */
function refuse(file: string): never {
  throw missing(file, 'is a link to a file that is not there')
}

function missing(file: string, rule: string, hint?: string): DataError {
  return new DataError('DATA_MISSING', { file, rule, ...(hint === undefined ? {} : { hint }) })
}
