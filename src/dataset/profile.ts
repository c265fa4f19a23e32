// The task profile: all that decisions may depend on. Derived from metadata and a small sample, never from a dataset's name.
import type { DatasetSpec, MatrixSpec } from './spec.ts'

export type Kind = 'image' | 'video' | 'audio' | 'text' | 'series' | 'table'

export interface Extent {
  min: number
  median: number
  max: number
}

export interface MatrixProfile {
  spec: MatrixSpec
  steps: Extent
  rows: Extent
  cols: Extent
  channels: number
  /** Same steps, rows and cols in every sampled example (and in the specification). */
  fixed: boolean
  /** Over finite sampled values. */
  values: { min: number; max: number; mean: number; std: number }
  /** Share of values that are NaN, and that are infinite. */
  missing: number
  infinite: number
  /** Share of stored or nonzero values. */
  density: number
  integral: boolean
}

export interface VocabularyProfile {
  size: number
  /** Mean characters per token over the sample: 1 for unsegmented scripts split into characters. */
  meanTokenLength: number
}

export interface TaskProfile {
  kind: Kind
  /** Why this kind, in words for a person. */
  reason: string
  spec: DatasetSpec
  trainCount: number
  testCount: number
  classCount: number
  /** More than one positive label on some training example. */
  multiLabel: boolean
  /** [K] positive training examples per class. */
  classCounts: number[]
  matrices: MatrixProfile[]
  vocabulary: VocabularyProfile | null
  /** Estimated bytes of all decoded training examples as float32 (uint8 for pictures). */
  trainBytes: number
  /** What is odd about the data, in words: classes without examples, missing values, skipped pictures. */
  warnings: string[]
}
