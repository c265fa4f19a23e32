import { describe, expect, it } from 'vitest'
import { accuracy, softAccuracy } from '../../src/metrics/accuracy.ts'
import { areaUnderLearningCurve, transformedTime } from '../../src/metrics/alc.ts'
import { consistencyScore } from '../../src/metrics/consistency.ts'
import { decathlonPoints, decathlonScore } from '../../src/metrics/decathlon.ts'
import { logLoss } from '../../src/metrics/log-loss.ts'

describe('area under the learning curve', () => {
  it('uses the published transformed times for a budget of 1200 s', () => {
    expect(transformedTime(1, 1200)).toBeCloseTo(0.0054, 4)
    expect(transformedTime(10, 1200)).toBeCloseTo(0.0506, 4)
    expect(transformedTime(60, 1200)).toBeCloseTo(0.2277, 4)
    expect(transformedTime(300, 1200)).toBeCloseTo(0.5885, 4)
    expect(transformedTime(1200, 1200)).toBe(1)
  })

  it('holds the latest score, worse or not, and counts nothing before the first', () => {
    const tau = (t: number) => Math.log(1 + t / 60) / Math.log(2)
    const curve = [
      { timeS: 10, score: 0.9 },
      { timeS: 2, score: 0.5 },
      { timeS: 30, score: 0.7 },
    ]
    const expected = 0.5 * (tau(10) - tau(2)) + 0.9 * (tau(30) - tau(10)) + 0.7 * (1 - tau(30))
    expect(areaUnderLearningCurve(curve, 60)).toBeCloseTo(expected, 12)
  })

  it('ignores predictions after the budget and is 0 without any', () => {
    expect(areaUnderLearningCurve([{ timeS: 61, score: 1 }], 60)).toBe(0)
    expect(areaUnderLearningCurve([], 60)).toBe(0)
    expect(
      areaUnderLearningCurve(
        [
          { timeS: 0, score: 1 },
          { timeS: 99, score: -1 },
        ],
        60,
      ),
    ).toBeCloseTo(1, 12)
  })
})

describe('accuracy', () => {
  const labels = Float32Array.of(1, 0, 0, 1, 0, 1)
  it('counts rows whose best score is the label', () => {
    expect(accuracy(labels, Float32Array.of(0.9, 0.1, 0.6, 0.4, 0.2, 0.3), 2)).toBeCloseTo(2 / 3, 12)
  })
  it('takes the first of equal scores', () => {
    expect(accuracy(labels, new Float32Array(6), 2)).toBeCloseTo(1 / 3, 12)
  })
  it('is soft in the kit: the share of score mass on the labels', () => {
    expect(softAccuracy(labels, Float32Array.of(3, 1, 0.5, 0.5, 0, 0), 2)).toBeCloseTo((0.75 + 0.5 + 0) / 3, 6)
  })
})

describe('log loss', () => {
  it('is the mean negative log probability of the label', () => {
    expect(logLoss(Float32Array.of(1, 0, 0, 1), Float32Array.of(0.5, 0.5, 0.75, 0.25), 2, false)).toBeCloseTo(
      (Math.log(2) + Math.log(4)) / 2,
      6,
    )
  })
  it('normalises single-label rows', () => {
    expect(logLoss(Float32Array.of(1, 0), Float32Array.of(3, 1), 2, false)).toBeCloseTo(-Math.log(0.75), 6)
  })
  it('averages binary cross-entropy over cells of multi-label tasks', () => {
    expect(logLoss(Float32Array.of(1, 0), Float32Array.of(0.8, 0.4), 2, true)).toBeCloseTo(
      -(Math.log(0.8) + Math.log(0.6)) / 2,
      6,
    )
  })
  it('stays finite for confident mistakes', () => {
    expect(logLoss(Float32Array.of(1, 0), Float32Array.of(0, 1), 2, false)).toBeLessThan(17)
    expect(logLoss(Float32Array.of(1, 0), Float32Array.of(0, 1), 2, true)).toBeLessThan(17)
  })
})

describe('scores over many datasets', () => {
  it('gives 1000 points for no error, 250 for the baseline, 0 from twice its error on', () => {
    expect(decathlonPoints({ error: 0, baseline: 0.2 })).toBe(1000)
    expect(decathlonPoints({ error: 0.2, baseline: 0.2 })).toBeCloseTo(250, 9)
    expect(decathlonPoints({ error: 0.5, baseline: 0.2 })).toBe(0)
    expect(
      decathlonScore([
        { error: 0, baseline: 0.1 },
        { error: 0.1, baseline: 0.1 },
      ]),
    ).toBeCloseTo(1250, 9)
  })
  it('subtracts the spread of runs from their average', () => {
    const runs = [
      { error: 0.1, baseline: 0.2 },
      { error: 0.05, baseline: 0.2 },
    ] // gains .5 and .75
    expect(consistencyScore(runs, 2)).toBeCloseTo(0.625 - 2 * 0.125, 12)
    expect(consistencyScore([runs[0], runs[0]], 2)).toBeCloseTo(0.5, 12)
  })
})
