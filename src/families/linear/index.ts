// Families whose heads are linear in fixed or randomly drawn features.
import type { Family } from '../family.ts'
import { kernel } from './kernel.ts'
import { linear } from './linear.ts'

export const linearFamilies: Family[] = [linear, kernel]
