// One hyperparameter's domain as a unit interval and back: what sampling, mutation and policies share.
import type { Domain, HyperValue } from '../../families/family.ts'
import type { Rng } from '../../support/rng.ts'

/** Uniform (log-uniform where the domain says so). */
export function sampleDomain(domain: Domain, rng: Rng): HyperValue {
  return fromUnit(domain, rng.uniform())
}

/** u in [0, 1) -> value */
export function fromUnit(domain: Domain, u: number): HyperValue {
  if (domain.type === 'choice') {
    return domain.options[Math.min(Math.floor(u * domain.options.length), domain.options.length - 1)]
  }
  const { low, high } = domain
  const x = domain.log ? Math.exp(Math.log(low) + u * (Math.log(high) - Math.log(low))) : low + u * (high - low)
  return domain.type === 'int' ? Math.min(high, Math.max(low, Math.round(x))) : x
}

/** value -> the middle of what maps to it, in [0, 1]; values outside the domain go to its nearest end. */
export function toUnit(domain: Domain, value: HyperValue | undefined): number {
  if (domain.type === 'choice') {
    const index = value === undefined ? -1 : domain.options.indexOf(value)
    return index < 0 ? 0.5 : (index + 0.5) / domain.options.length
  }
  if (typeof value !== 'number') return 0.5
  const { low, high } = domain
  if (high <= low) return 0.5
  const u = domain.log
    ? (Math.log(Math.max(value, low)) - Math.log(low)) / (Math.log(high) - Math.log(low))
    : (value - low) / (high - low)
  return Math.min(1, Math.max(0, u))
}

/** A neighbour: a normal step of a fifth of the range; another option for a choice, any with equal chance. */
export function mutateDomain(domain: Domain, value: HyperValue | undefined, rng: Rng): HyperValue {
  if (domain.type === 'choice') {
    const others = domain.options.filter((option) => option !== value)
    return others.length === 0 ? domain.options[0] : others[rng.below(others.length)]
  }
  const u = toUnit(domain, value) + 0.2 * rng.normal()
  // Reflected at the ends, where a clipped step would pile up.
  const reflected = Math.abs(((((u + 1) % 2) + 2) % 2) - 1)
  const next = fromUnit(domain, Math.min(reflected, 1 - 1e-9))
  if (domain.type === 'int' && next === value && domain.high > domain.low) {
    return value === domain.high ? domain.high - 1 : Number(value) + 1
  }
  return next
}
