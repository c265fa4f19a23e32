// Decision trees as flat growable arrays: all trees of an ensemble in one store, nodes addressed by index.
// An inner node sends a row left when its code passes `rule`; a leaf owns a range of (target, weight) entries that it adds to
// the scores. Missing values (code 0) follow the flag MISSING_LEFT.
import type { TrialState } from '../family.ts'
import type { Codes } from './codes.ts'
import { codeAt } from './codes.ts'

export const MISSING_LEFT = 1
/** The rule is a set of codes, not a threshold. */
export const BY_SET = 2
/** A set is 256 bits. */
export const SET_WORDS = 8

export interface StoreMark {
  nodes: number
  entries: number
  sets: number
  trees: number
}

export class TreeStore {
  /** [nodes] feature tested; -1: a leaf. */
  feature = new Int32Array(256)
  /** [nodes] left when code <= rule, or when set number `rule` holds the code (BY_SET). */
  rule = new Int32Array(256)
  flags = new Uint8Array(256)
  /** [nodes] children; for a leaf the range left .. right of its entries. */
  left = new Int32Array(256)
  right = new Int32Array(256)
  nodes = 0
  target = new Int32Array(256)
  weight = new Float32Array(256)
  entries = 0
  sets = new Uint32Array(SET_WORDS * 4)
  setCount = 0
  /** First node of each tree. */
  roots: number[] = []

  addNode(): number {
    if (this.nodes === this.feature.length) {
      this.feature = grown(this.feature, new Int32Array(this.nodes * 2))
      this.rule = grown(this.rule, new Int32Array(this.nodes * 2))
      this.flags = grown(this.flags, new Uint8Array(this.nodes * 2))
      this.left = grown(this.left, new Int32Array(this.nodes * 2))
      this.right = grown(this.right, new Int32Array(this.nodes * 2))
    }
    return this.nodes++
  }

  /** Makes `node` a leaf whose entries are those added until `closeLeaf`. */
  openLeaf(node: number): void {
    this.feature[node] = -1
    this.left[node] = this.entries
    this.right[node] = this.entries
  }

  addEntry(node: number, target: number, weight: number): void {
    if (this.entries === this.target.length) {
      this.target = grown(this.target, new Int32Array(this.entries * 2))
      this.weight = grown(this.weight, new Float32Array(this.entries * 2))
    }
    this.target[this.entries] = target
    this.weight[this.entries++] = weight
    this.right[node] = this.entries
  }

  /** Copies SET_WORDS words. Returns the set's number. */
  addSet(words: Uint32Array): number {
    if ((this.setCount + 1) * SET_WORDS > this.sets.length)
      this.sets = grown(this.sets, new Uint32Array(this.sets.length * 2))
    this.sets.set(words.subarray(0, SET_WORDS), this.setCount * SET_WORDS)
    return this.setCount++
  }

  goesLeft(node: number, code: number): boolean {
    const flags = this.flags[node]
    if (flags & BY_SET) return ((this.sets[this.rule[node] * SET_WORDS + (code >>> 5)] >>> (code & 31)) & 1) === 1
    return code === 0 ? (flags & MISSING_LEFT) === 1 : code <= this.rule[node]
  }

  /** The leaf that `row` of `codes` falls into. */
  leafOf(root: number, codes: Codes, row: number): number {
    const { feature, left, right } = this
    let node = root
    while (feature[node] >= 0) node = this.goesLeft(node, codeAt(codes, row, feature[node])) ? left[node] : right[node]
    return node
  }

  /** Adds scale * (trees from..to) to out[row * targets + target] for the given rows. */
  addScores(
    codes: Codes,
    rows: Int32Array,
    out: Float32Array,
    targets: number,
    from = 0,
    to = this.roots.length,
    scale = 1,
  ) {
    const { target, weight, left, right } = this
    for (let t = from; t < to; t++) {
      const root = this.roots[t]
      for (let i = 0; i < rows.length; i++) {
        const leaf = this.leafOf(root, codes, rows[i])
        const at = rows[i] * targets
        for (let e = left[leaf]; e < right[leaf]; e++) out[at + target[e]] += scale * weight[e]
      }
    }
  }

  /** How much the store holds now: what was there can be saved later, for stores only grow. */
  mark(): StoreMark {
    return { nodes: this.nodes, entries: this.entries, sets: this.setCount, trees: this.roots.length }
  }

  /** Named arrays for a trial's saved state: all that was there at `mark`. */
  save(prefix: string, { nodes, entries, sets, trees }: StoreMark = this.mark()): TrialState['arrays'] {
    return {
      [`${prefix}feature`]: this.feature.slice(0, nodes),
      [`${prefix}rule`]: this.rule.slice(0, nodes),
      [`${prefix}flags`]: Int32Array.from(this.flags.subarray(0, nodes)),
      [`${prefix}left`]: this.left.slice(0, nodes),
      [`${prefix}right`]: this.right.slice(0, nodes),
      [`${prefix}target`]: this.target.slice(0, entries),
      [`${prefix}weight`]: this.weight.slice(0, entries),
      [`${prefix}sets`]: Int32Array.from(this.sets.subarray(0, sets * SET_WORDS)),
      [`${prefix}roots`]: Int32Array.from(this.roots.slice(0, trees)),
    }
  }

  /** Null when `arrays` hold no store under `prefix`. */
  static load(arrays: TrialState['arrays'], prefix: string): TreeStore | null {
    const ints = (name: string) => arrays[`${prefix}${name}`]
    const weight = ints('weight')
    if (!(weight instanceof Float32Array) || !ints('feature') || weight.length === 0) return null
    const store = new TreeStore()
    store.feature = Int32Array.from(ints('feature'))
    store.rule = Int32Array.from(ints('rule'))
    store.flags = Uint8Array.from(ints('flags'))
    store.left = Int32Array.from(ints('left'))
    store.right = Int32Array.from(ints('right'))
    store.nodes = store.feature.length
    store.target = Int32Array.from(ints('target'))
    store.weight = weight.slice()
    store.entries = weight.length
    store.setCount = ints('sets').length / SET_WORDS
    store.sets = grown(Uint32Array.from(ints('sets')), new Uint32Array(Math.max(4, store.setCount * 2) * SET_WORDS))
    store.roots = [...ints('roots')]
    return store
  }
}

function grown<T extends Int32Array | Uint32Array | Uint8Array | Float32Array>(old: T, next: T): T {
  next.set(old)
  return next
}
