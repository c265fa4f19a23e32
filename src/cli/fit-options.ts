// The options of `automl fit`. A configuration file and a preset use the same names as keys.
import { SEARCHES } from '../run/options.ts'
import { DEBUG_OPTION } from './common-options.ts'
import type { OptionTable } from './option.ts'

export const ENGINES = ['auto', 'onnx', 'tfjs'] as const
export const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const
export const UIS = ['auto', 'ink', 'plain', 'json', 'none'] as const

export const FIT_OPTIONS = {
  budget: {
    kind: 'duration',
    metavar: 'time',
    default: '20m',
    summary: 'time in all, counted from the start of the process',
    reason: '20 minutes is the time that the challenge gives',
  },
  out: {
    kind: 'path',
    metavar: 'dir',
    summary: 'run folder (default: runs/<dataset>-<time>)',
  },
  seed: {
    kind: 'integer',
    metavar: 'n',
    min: 0,
    default: 0,
    summary: 'start of all randomness',
    reason: 'a fixed default makes two runs comparable',
  },
  engine: {
    kind: 'choice',
    metavar: 'name',
    choices: ENGINES,
    default: 'auto',
    summary: `what computes: ${ENGINES.join(', ')}`,
    reason: 'auto takes the fastest usable one',
  },
  device: {
    kind: 'choice',
    metavar: 'name',
    choices: DEVICES,
    default: 'auto',
    summary: `where it computes: ${DEVICES.join(', ')}`,
    reason: 'auto takes the fastest usable one',
  },
  workers: {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    max: 64,
    summary: 'worker processes (default: 1 for pictures, sound and video, else one per core, up to 4)',
    reason: 'large kernels use all threads well, many small ones do not',
  },
  threads: {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    max: 1024,
    summary: 'threads in all workers together (default: one per core)',
  },
  memory: {
    kind: 'size',
    metavar: 'size',
    summary: 'memory of all processes together (default: three quarters of what is free)',
  },
  search: {
    kind: 'choice',
    metavar: 'name',
    choices: SEARCHES,
    default: 'auto',
    summary: `who proposes trials: ${SEARCHES.join(', ')}`,
    reason: 'auto is the portfolio first, then evolution around the best',
  },
  families: {
    kind: 'list',
    metavar: 'a,b',
    summary: 'only these model families (default: all that fit the data)',
  },
  preset: {
    kind: 'text',
    metavar: 'name',
    summary: 'options from configs/<name>.json',
  },
  config: {
    kind: 'path',
    metavar: 'file',
    summary: 'options from a JSON file, its keys being option names',
  },
  resume: {
    kind: 'flag',
    summary:
      'go on from the run in --out with its options, where none are given here, and what is left of its budget; a larger --budget extends it',
  },
  ui: {
    kind: 'choice',
    metavar: 'name',
    choices: UIS,
    default: 'auto',
    summary: `how progress is shown: ${UIS.join(', ')}`,
    reason: 'auto is ink on a terminal, plain lines in a pipe',
  },
  'slice-steps': {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    summary: 'count steps instead of time, for reproducible runs: steps in a slice',
  },
  'max-slices': {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    summary: 'end after so many slices',
  },
  'family-modules': {
    kind: 'list',
    metavar: 'a,b',
    summary: 'modules whose exported families join the registry',
  },
  ...DEBUG_OPTION,
} as const satisfies OptionTable
