// Families of trees on tables.
import { tableSource } from './source.ts'
import { treesOn } from './trees-on.ts'

export const treeFamilies = treesOn({
  prefix: '',
  features: 'table columns',
  source: tableSource,
  order: { boosting: 10, forest: 12 },
})
