// Text families.
import type { Family } from '../family.ts'
import { ngrams } from './ngrams-family.ts'

export const textFamilies: Family[] = [ngrams]
