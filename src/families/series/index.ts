// Families for series.
import type { Family } from '../family.ts'
import { rocket } from './rocket-family.ts'

export const seriesFamilies: Family[] = [rocket]
