// The error function to float64 precision (Abramowitz & Stegun 1964): series 7.1.6 near zero, continued fraction 7.1.14 beyond.

export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  if (x < 0) return -erf(-x)
  if (x > 6) return 1
  if (x < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  let fraction = 0
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction)
  return 1 - Math.exp(-x * x) / ((x + fraction) * Math.sqrt(Math.PI))
}
