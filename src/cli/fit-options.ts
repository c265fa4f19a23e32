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
    summary: `what trains networks: ${ENGINES.join(', ')}`,
    reason: 'auto takes the fastest usable one',
  },
  device: {
    kind: 'choice',
    metavar: 'name',
    choices: DEVICES,
    default: 'auto',
    summary: `where networks train: ${DEVICES.join(', ')}`,
    reason: 'auto takes the fastest usable one',
  },
  workers: {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    max: 64,
    summary:
      'worker processes (default: 1 for pictures, sound and video, else one per thread, up to 4, fewer where memory is short)',
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
    summary:
      'memory to aim at for all processes together, no hard limit (default: three quarters of what is free, at most half of all)',
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
    summary: 'only these model families; automl inspect names those that fit the data (default: all of them)',
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
      'continue the run in --out, with its options unless given here, for what is left of its budget; a larger --budget gives it more',
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
    summary:
      'measure slices in so many steps, not in time: with --workers 1 and --max-slices, the same seed gives the same predictions',
  },
  'max-slices': {
    kind: 'integer',
    metavar: 'n',
    min: 1,
    summary: 'end after so many slices (needs --slice-steps)',
  },
  'family-modules': {
    kind: 'list',
    metavar: 'a,b',
    summary: 'modules whose exported families join the registry',
  },
  ...DEBUG_OPTION,
} as const satisfies OptionTable
