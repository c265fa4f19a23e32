// What an ending reserves and refuses: times are given, not measured.
import { describe, expect, it } from 'vitest'
import { createCost } from '../../src/run/cost.ts'

describe('the cost of repeated work', () => {
  it('is its usual time while that is steady', () => {
    const cost = createCost()
    for (let i = 0; i < 10; i++) cost.spent(100)
    expect(cost.expectedMs()).toBeCloseTo(100, 0)
  })

  it('follows one slow time at once and forgets it step by step', () => {
    const cost = createCost()
    for (let i = 0; i < 5; i++) cost.spent(50)
    cost.spent(2000)
    expect(cost.expectedMs()).toBe(2000)
    cost.spent(50)
    expect(cost.expectedMs()).toBeCloseTo(1700, 0)
    for (let i = 0; i < 30; i++) cost.spent(50)
    expect(cost.expectedMs()).toBeLessThan(60)
  })
})
