import type { Family } from '../family.ts'
export const sparseFamilies: Family[] = []
