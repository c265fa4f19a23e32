// Hyperparameters of boosting: what is searched and why, what is tried first, and how a trial's values become a booster's options.
import type { TaskProfile } from '../../dataset/profile.ts'
import { BALANCE } from '../common/balance.ts'
import type { HyperParams, PortfolioEntry, SearchSpace } from '../family.ts'
import type { BoosterOptions } from './booster.ts'
import type { TrainingTable } from './training-table.ts'

/** Classes from which trees share their structure: a tree per class and round would take a K-fold time. */
const SHARED_FROM = 8

export function boostingSpace(profile: TaskProfile): SearchSpace {
  return {
    rounds: {
      type: 'int',
      low: 100,
      high: 2000,
      log: true,
      reason: 'an upper bound; the judges stop training earlier',
    },
    learningRate: {
      type: 'float',
      low: 0.02,
      high: 0.3,
      log: true,
      reason: 'smaller steps end better and take longer',
    },
    leaves: {
      type: 'int',
      low: 4,
      high: 127,
      log: true,
      reason: 'interactions a tree can express; small data bear few',
    },
    minRows: { type: 'int', low: 1, high: 60, log: true, reason: 'keeps leaves from memorising single rows' },
    l2: { type: 'float', low: 0.1, high: 30, log: true, reason: 'shrinks leaves with little evidence' },
    rowShare: { type: 'float', low: 0.5, high: 1, reason: 'stochastic boosting (Friedman 2002) decorrelates trees' },
    featureShare: { type: 'float', low: 0.3, high: 1, reason: 'decorrelates trees and makes them cheaper' },
    balance: BALANCE,
    outputs: {
      type: 'choice',
      options: profile.classCount >= 4 || profile.multiLabel ? ['separate', 'shared'] : ['separate'],
      reason: 'one tree per class fits each class best; shared structure costs a K-th',
    },
    categories: {
      type: 'choice',
      options: ['order', 'sets'],
      reason: 'small integers may be amounts or names; only the judges can tell',
    },
  }
}

export function boostingPortfolio(profile: TaskProfile, order: number): PortfolioEntry[] {
  const outputs = profile.classCount >= SHARED_FROM ? 'shared' : 'separate'
  const first = profile.trainCount < 3000 ? forFew(outputs) : forMany(outputs, profile.trainCount)
  const named = profile.matrices.some((matrix) => matrix.integral)
  const entries: PortfolioEntry[] = [{ params: first, order }]
  if (named) entries.push({ params: { ...first, categories: 'sets' }, order: order + 18 })
  const slow = {
    ...first,
    rounds: 1500,
    learningRate: Number(first.learningRate) / 2,
    rowShare: 0.8,
    featureShare: 0.6,
  }
  entries.push({ params: slow, order: order + 24 })
  return entries
}

/** Small steps, small trees, much shrinkage: with so few rows all that can go wrong is too much trust. */
function forFew(outputs: string): HyperParams {
  return {
    rounds: 300,
    learningRate: 0.06,
    leaves: 8,
    minRows: 8,
    l2: 5,
    rowShare: 0.8,
    featureShare: 0.6,
    balance: 0,
    outputs,
    categories: 'order',
  }
}

/** A shared tree serves all classes at once, so it needs more leaves than a tree for one. */
function forMany(outputs: string, rows: number): HyperParams {
  const shared = outputs === 'shared'
  return {
    rounds: shared ? 250 : 400,
    learningRate: shared ? 0.15 : 0.1,
    leaves: shared ? (rows > 8000 ? 127 : 63) : 31,
    minRows: shared ? 5 : 20,
    l2: 1,
    rowShare: 1,
    featureShare: 1,
    balance: 0,
    outputs,
    categories: 'order',
  }
}

/** @param rows training rows: few rows allow few leaves */
export function boosterOptions(params: HyperParams, table: TrainingTable, rows: number): BoosterOptions {
  const minRows = Math.max(1, Math.min(Number(params.minRows), Math.floor(rows / 8)))
  return {
    learningRate: Number(params.learningRate),
    leaves: Math.max(2, Math.min(Number(params.leaves), Math.floor(rows / minRows))),
    maxDepth: 24,
    minRows,
    minHessian: 1e-3,
    l2: Number(params.l2),
    minGain: 0,
    categorySmoothing: 10,
    categoryL2: 10,
    outputs: params.outputs === 'shared' && table.classes > 2 ? 'shared' : 'separate',
    // Iosipoi & Vakhrushev 2022 find 1 to 5 enough whatever K is; odd numbers fill the histogram's pairs.
    sketch: 3,
    rowShare: Number(params.rowShare),
    featureShare: Number(params.featureShare),
    balance: Number(params.balance),
  }
}
