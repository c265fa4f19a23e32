// The events of a made-up run, for the tests of reporters and views.
import type { RunEvent, StampedEvent } from '../../src/run/events.ts'

export function sampleRun(): StampedEvent[] {
  const at = (t: number, event: RunEvent): StampedEvent => ({ v: 1, t, ...event })
  return [
    at(20, {
      type: 'start',
      dataset: 'digits',
      data: 'fixtures/digits',
      out: 'runs/digits',
      budgetMs: 60_000,
      seed: 0,
      resumed: false,
      version: '0.1.0',
    }),
    at(150, {
      type: 'profile',
      kind: 'image',
      reason: 'one step of 8 x 8 values with locality in rows and columns, so neighbouring values belong together',
      trainCount: 1437,
      testCount: 360,
      classCount: 10,
      multiLabel: false,
      warnings: [],
    }),
    at(160, { type: 'device', engine: 'onnx', device: 'cpu', threads: 2, workers: 1 }),
    at(161, { type: 'worker', worker: 0, status: 'started', doing: 'reading', rssBytes: 120_000_000 }),
    at(200, { type: 'trial', trial: 't0', family: 'linear', params: { l2: 0.00123456 }, tuner: 'portfolio' }),
    at(500, {
      type: 'milestone',
      index: 0,
      nauc: null,
      accuracy: null,
      members: [{ trial: 't0', family: 'linear', weight: 1 }],
      reason: 'first',
    }),
    at(900, { type: 'score', trial: 't0', nauc: 0.981, accuracy: 0.94, loss: 0.2, trainedOn: 'train' }),
    at(950, {
      type: 'milestone',
      index: 1,
      nauc: 0.981,
      accuracy: 0.94,
      members: [{ trial: 't0', family: 'linear', weight: 1 }],
      reason: 'better',
    }),
    at(1000, { type: 'trial', trial: 't1', family: 'conv-net', params: { width: 32 }, tuner: 'portfolio' }),
    at(1500, { type: 'slice', trial: 't1', worker: 0, startMs: 1000, ms: 500, units: 3, of: 30, note: 'epoch' }),
    at(1600, { type: 'trial', trial: 't2', family: 'forest', params: {}, tuner: 'random' }),
    at(1700, { type: 'trial-end', trial: 't2', status: 'failed', reason: 'loss is not a number', code: 'NAN_LOSS' }),
    at(9000, { type: 'score', trial: 't1', nauc: 0.9991, accuracy: 0.985, loss: 0.05, trainedOn: 'train' }),
    at(9100, {
      type: 'milestone',
      index: 2,
      nauc: 0.9993,
      accuracy: 0.986,
      members: [
        { trial: 't0', family: 'linear', weight: 0.3 },
        { trial: 't1', family: 'conv-net', weight: 0.7 },
      ],
      reason: 'better',
    }),
    at(9200, { type: 'slice', trial: 't1', worker: 0, startMs: 8700, ms: 500, units: 12, of: 30, note: 'epoch' }),
  ]
}

export function endOfRun(): StampedEvent {
  return { v: 1, t: 60_010, type: 'end', status: 'done', milestones: 3, nauc: 0.9993, accuracy: 0.986 }
}
