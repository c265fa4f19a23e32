// Arithmetic on tensor dimensions that may be symbolic. A dimension is a number or a string: a product of symbols and
// bracketed expressions, for instance `n`, `2*n` or `floor((h-1)/2)`. Equal strings mean equal sizes; different strings may still
// be equal at run time, so only numbers can contradict each other.

export type Dim = number | string

/** [2, n, 3] -> `[2, n, 3]` */
export function formatShape(shape: readonly Dim[]): string {
  return `[${shape.join(', ')}]`
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  const left = factors(a)
  const right = factors(b)
  return product(left.coefficient * right.coefficient, [...left.symbols, ...right.symbols])
}

/** a / b where b divides a; undefined when the quotient cannot be written. */
export function divDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b : undefined
  const above = factors(a)
  const below = factors(b)
  const symbols = [...above.symbols]
  for (const symbol of below.symbols) {
    const at = symbols.indexOf(symbol)
    if (at < 0) return undefined
    symbols.splice(at, 1)
  }
  if (above.coefficient % below.coefficient === 0) return product(above.coefficient / below.coefficient, symbols)
  return symbols.length === 0 ? undefined : `(${product(above.coefficient, symbols)}/${below.coefficient})`
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a === 0) return b
  if (b === 0) return a
  if (a === b) return mulDims(2, a)
  if (typeof b === 'number' && b < 0) return `(${a}-${-b})`
  return typeof a === 'number' ? `(${b}+${a})` : `(${a}+${b})`
}

export function subDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (a === b) return 0
  if (b === 0) return a
  return typeof b === 'number' ? addDims(a, -b) : `(${a}-${b})`
}

/** floor(a / b) for a positive integer b. */
export function floorDivDims(a: Dim, b: number): Dim {
  if (b === 1) return a
  return typeof a === 'number' ? Math.floor(a / b) : `floor(${a}/${b})`
}

export function ceilDivDims(a: Dim, b: number): Dim {
  if (b === 1) return a
  return typeof a === 'number' ? Math.ceil(a / b) : `ceil(${a}/${b})`
}

export function productOfDims(shape: readonly Dim[]): Dim {
  return shape.reduce<Dim>(mulDims, 1)
}

/** Number of elements of a static shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1)
}

export function isStatic(shape: readonly Dim[]): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number')
}

/** The size both sides must have, or undefined when two numbers differ. A number beats a symbol. */
export function unifyDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return a
  if (typeof a === 'number') return typeof b === 'number' ? undefined : a
  return typeof b === 'number' ? b : a
}

/** Numpy broadcasting of two shapes, or undefined when they contradict each other. */
export function broadcastShapes(a: readonly Dim[], b: readonly Dim[]): Dim[] | undefined {
  const rank = Math.max(a.length, b.length)
  const out: Dim[] = []
  for (let i = 0; i < rank; i++) {
    const left = a[i - rank + a.length] ?? 1
    const right = b[i - rank + b.length] ?? 1
    const dim = left === 1 ? right : right === 1 ? left : unifyDims(left, right)
    if (dim === undefined) return undefined
    out.push(dim)
  }
  return out
}

interface Factors {
  coefficient: number
  symbols: string[]
}

/** `6*h*n` -> 6, [h, n]; brackets stay whole. */
function factors(dim: Dim): Factors {
  if (typeof dim === 'number') return { coefficient: dim, symbols: [] }
  let coefficient = 1
  const symbols: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= dim.length; i++) {
    if (i < dim.length && dim[i] === '(') depth++
    if (i < dim.length && dim[i] === ')') depth--
    if (i < dim.length && (dim[i] !== '*' || depth > 0)) continue
    const part = dim.slice(start, i)
    start = i + 1
    if (/^\d+$/.test(part)) coefficient *= Number(part)
    else symbols.push(part)
  }
  return { coefficient, symbols }
}

function product(coefficient: number, symbols: string[]): Dim {
  if (coefficient === 0 || symbols.length === 0) return coefficient
  const text = symbols.sort().join('*')
  return coefficient === 1 ? text : `${coefficient}*${text}`
}
