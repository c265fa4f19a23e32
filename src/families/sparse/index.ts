// Families for sparse tables.
import type { Family } from '../family.ts'
import { sparseLinear } from './sparse-linear.ts'

export const sparseFamilies: Family[] = [sparseLinear]
