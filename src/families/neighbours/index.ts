// Families that keep training rows and ask them.
import type { Family } from '../family.ts'
import { neighbours } from './neighbours.ts'

export const neighbourFamilies: Family[] = [neighbours]
