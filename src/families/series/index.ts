// Series families.
import type { Family } from '../family.ts'

export const seriesFamilies: Family[] = []
