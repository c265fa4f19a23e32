// Hyperparameters of forests: what is searched and why, what is tried first, and how a trial's values become tree options.
import type { TaskProfile } from '../../dataset/profile.ts'
import { BALANCE } from '../common/balance.ts'
import type { HyperParams, PortfolioEntry, SearchSpace } from '../family.ts'
import type { RandomTreeOptions } from './random-trees.ts'

/** Wide sparse tables: exponent of the feature count. Of thousands of words a root's worth makes trees that ask about the same few. */
const SPARSE_TRIED = 0.3

export function forestSpace(): SearchSpace {
  return {
    trees: {
      type: 'int',
      low: 100,
      high: 800,
      log: true,
      reason: 'more trees vote more steadily and make a larger model',
    },
    split: {
      type: 'choice',
      options: ['random', 'best'],
      reason: 'random thresholds smooth and are quick; best ones find narrow signals',
    },
    tried: {
      type: 'float',
      low: 0.3,
      high: 0.9,
      reason: 'exponent of the feature count: 0.5 is the usual root; more tried means stronger, more alike trees',
    },
    minLeaf: { type: 'int', low: 1, high: 20, log: true, reason: 'larger leaves average over noisy labels' },
    bootstrap: { type: 'choice', options: [false, true], reason: 'resampled rows make trees differ more' },
    balance: BALANCE,
  }
}

/** @param sparse wide sparse rows: pure leaves, since a few words decide */
export function forestPortfolio(profile: TaskProfile, order: number, sparse: boolean): PortfolioEntry[] {
  const small = profile.trainCount < 3000 && !sparse
  const extra: HyperParams = {
    trees: small ? 300 : 400,
    split: 'random',
    tried: sparse ? SPARSE_TRIED : 0.5,
    minLeaf: small ? 2 : 1,
    bootstrap: false,
    balance: 0,
  }
  const forest: HyperParams = { ...extra, split: 'best', minLeaf: small ? 3 : 1, bootstrap: true }
  return [
    { params: extra, order },
    { params: forest, order: order + 8 },
    { params: { ...extra, tried: sparse ? 0.5 : 0.75, minLeaf: small ? 5 : 1 }, order: order + 20 },
  ]
}

/** @param rows training rows */
export function forestOptions(params: HyperParams, features: number, rows: number): RandomTreeOptions {
  return {
    split: params.split === 'best' ? 'best' : 'random',
    tried: Math.max(1, Math.round(features ** Number(params.tried))),
    // A tree keeps to some ten thousand leaves, so that a hundred trees can still be exported.
    minLeaf: Math.max(Number(params.minLeaf), Math.round(rows / 20_000)),
    maxDepth: 500,
  }
}
