// Families whose heads are linear in fixed, learned or kernel features.
import type { Family } from '../family.ts'
import { kernel } from './kernel.ts'
import { linear } from './linear.ts'
import { patches } from './patches.ts'

export const linearFamilies: Family[] = [linear, kernel, patches]
