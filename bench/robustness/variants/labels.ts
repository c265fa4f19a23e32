// Variants of labels and of how many examples there are.
import type { Editable, Example } from '../editable.ts'
import { classOf, countClasses, type Variant } from '../variant.ts'

const singleLabel = ({ multiLabel }: Editable) => !multiLabel

export const labelVariants: Variant[] = [
  {
    name: 'two classes',
    applies: (data) => singleLabel(data) && data.spec.outputDim > 2,
    expect: { kind: 'near', drop: 0.15 },
    make(data) {
      const kept = byCount(data).slice(0, 2)
      const take = (examples: Example[]) =>
        examples
          .filter((example) => kept.includes(classOf(example)))
          .map((example) => ({ ...example, labels: [kept.indexOf(classOf(example))] }))
      const labelNames = kept.map((k) => data.spec.labelNames[k])
      return {
        ...data,
        spec: { ...data.spec, outputDim: 2, labelNames },
        train: take(data.train),
        test: take(data.test),
      }
    },
  },
  {
    name: '1 % of train',
    applies: ({ train }) => train.length >= 40,
    expect: { kind: 'runs' },
    make: (data, rng) => ({
      ...data,
      train: some(data.train, Math.max(10, Math.round(data.train.length / 100)), rng.permutation(data.train.length)),
    }),
  },
  {
    name: '5x imbalance',
    applies: (data) => singleLabel(data) && data.train.length >= 40,
    expect: { kind: 'near', drop: 0.15 },
    make(data) {
      const rare = new Set(byCount(data).filter((_, i) => i % 2 === 1))
      const seen = new Array<number>(data.spec.outputDim).fill(0)
      const train = data.train.filter((example) => !rare.has(classOf(example)) || seen[classOf(example)]++ % 5 === 0)
      return { ...data, train }
    },
  },
  {
    name: 'permuted labels',
    applies: ({ train }) => train.length >= 2,
    expect: { kind: 'chance' },
    // Of the test split too: a model of permuted labels is a random function, which true labels may well agree with, or with its
    // opposite, where data have few directions.
    make(data, rng) {
      const permuted = (examples: Example[]) => {
        const order = rng.permutation(examples.length)
        return examples.map((example, i) => ({ ...example, labels: examples[order[i]].labels }))
      }
      return { ...data, train: permuted(data.train), test: permuted(data.test) }
    },
  },
  {
    // Its own column is lost, and its examples spoil the columns that they resemble.
    name: 'class missing in train',
    applies: ({ spec }) => spec.outputDim > 2,
    expect: { kind: 'near', drop: ({ spec }) => 2 / spec.outputDim + 0.06 },
    make(data) {
      const [gone] = byCount(data)
      return { ...data, train: data.train.filter((example) => !indices(example).includes(gone)) }
    },
  },
  {
    name: 'constant class',
    applies: () => true,
    expect: { kind: 'near', drop: 0.1 },
    make(data) {
      const { outputDim, labelNames } = data.spec
      const always = (examples: Example[]) =>
        examples.map((example) => ({ ...example, labels: [...example.labels, { index: outputDim, score: 1 }] }))
      const spec = { ...data.spec, outputDim: outputDim + 1, labelNames: [...labelNames, 'always'] }
      return { ...data, spec, train: always(data.train), test: always(data.test) }
    },
  },
  {
    name: 'single class',
    applies: singleLabel,
    expect: { kind: 'runs' },
    make(data) {
      const [only] = byCount(data)
      return { ...data, train: data.train.filter((example) => classOf(example) === only) }
    },
  },
  {
    name: 'one example',
    applies: () => true,
    expect: { kind: 'runs' },
    make: (data) => ({ ...data, train: data.train.filter(({ labels }) => labels.length > 0).slice(0, 1) }),
  },
  {
    name: 'duplicated examples',
    applies: ({ train }) => train.length <= 12_000,
    expect: { kind: 'near', drop: 0.06 },
    make: (data) => ({ ...data, train: [...data.train, ...data.train] }),
  },
]

/** Classes, most frequent first. */
function byCount(data: Editable): number[] {
  const counts = countClasses(data)
  return counts.map((_, k) => k).sort((a, b) => counts[b] - counts[a])
}

function indices({ labels }: Example): number[] {
  return labels.map((label) => (typeof label === 'number' ? label : label.index))
}

/** `count` examples in random order, the first of them with a label. */
function some(train: Example[], count: number, order: Int32Array): Example[] {
  const shuffled = Array.from(order, (i) => train[i])
  const labelled = shuffled.findIndex(({ labels }) => labels.length > 0)
  return [shuffled[labelled], ...shuffled.filter((_, i) => i !== labelled).slice(0, count - 1)]
}
