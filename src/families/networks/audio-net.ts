// Sound, by a convolutional or convolutional-recurrent network on log-mel spectrograms with SpecAugment.
import { BALANCE } from '../common/balance.ts'
import { linkOf } from '../common/label-statistics.ts'
import { loadFeatures } from '../common/load-features.ts'
import type { Family } from '../family.ts'
import { logMelFront } from '../fronts/log-mel.ts'
import { bandMeans, PLAIN_SIGNAL_POLICY, type SignalPolicy, signalBatches } from './augment/signals.ts'
import { pictureLearnerPlan } from './picture-learner.ts'
import { recurrentTop } from './recurrent-top.ts'
import { trainNetwork } from './train-network.ts'

export const audioNet: Family = {
  name: 'audio-net',
  summary: 'convolutional network, recurrent on request, on log-mel spectrograms',
  openEnded: true,
  portfolio(profile) {
    if (profile.kind !== 'audio') return null
    const params = {
      rate: 6e-3,
      weightDecay: 0.02,
      dropout: 0.2,
      labelSmoothing: 0.05,
      shift: 0.15,
      masks: 1,
      mixup: 0,
      width: 1,
      frames: 128,
      recurrent: 0,
      balance: 0,
    }
    return [{ params, order: 30 }]
  },
  space: () => ({
    rate: { type: 'float', low: 1e-3, high: 2e-2, log: true, reason: 'peak of the one-cycle schedule for Muon' },
    weightDecay: { type: 'float', low: 1e-3, high: 0.1, log: true, reason: 'decoupled decay; more for few clips' },
    balance: BALANCE,
    dropout: { type: 'float', low: 0, high: 0.5, reason: 'before the head; helps few clips' },
    labelSmoothing: { type: 'float', low: 0, high: 0.2, reason: 'keeps scores comparable across examples' },
    shift: { type: 'float', low: 0, high: 0.3, reason: 'recordings start early or late' },
    masks: { type: 'int', low: 0, high: 2, reason: 'SpecAugment stretches blanked, in time and in frequency each' },
    mixup: { type: 'float', low: 0, high: 1, reason: 'for long training on few clips' },
    width: { type: 'choice', options: [0.5, 1, 1.5], reason: 'passes against capacity' },
    frames: { type: 'choice', options: [64, 128, 256], reason: 'detail in time against speed' },
    recurrent: {
      type: 'choice',
      options: [0, 32, 64],
      reason: 'units of a GRU along time: for sounds told apart by the order of their parts; 0 is convolutional only',
    },
  }),
  async *train(trial) {
    const { profile, params } = trial
    const link = linkOf(profile, trial.labels)
    const front = logMelFront(profile, { maxFrames: Number(params.frames) })
    const [, bands, steps] = front.shape
    const data = (yield* loadFeatures(trial, front)) as Uint8Array
    const signals = { data, bands, steps }
    const policy: SignalPolicy = {
      ...PLAIN_SIGNAL_POLICY,
      shift: Number(params.shift),
      bandShift: 1,
      timeMasks: Number(params.masks),
      timeMaskShare: 0.15,
      bandMasks: Number(params.masks),
      bandMaskShare: 0.15,
      mixup: Number(params.mixup),
    }
    const recurrent = Number(params.recurrent ?? 0)
    const means = bandMeans(signals)
    const pictures = { data, channels: 1, height: bands, width: steps }
    const plan = pictureLearnerPlan(trial, link, front, pictures, () => signalBatches(signals, policy, means), {
      rate: Number(params.rate),
      weightDecay: Number(params.weightDecay),
      dropout: Number(params.dropout),
      labelSmoothing: Number(params.labelSmoothing),
      widthFactor: Number(params.width),
      mirrorViews: false,
      whiten: false,
      ...(recurrent > 0 ? { top: recurrentTop(recurrent) } : {}),
    })
    yield* trainNetwork(trial, link, plan)
  },
}
