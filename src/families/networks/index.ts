// All network families, for the registry.
import type { Family } from '../family.ts'
import { audioNet } from './audio-net.ts'
import { imageNet } from './image-net.ts'
import { joinedNet } from './joined-net.ts'
import { seriesNet } from './series-net.ts'
import { tableNet } from './table-net.ts'
import { textBag } from './text-bag.ts'
import { textCnn } from './text-cnn.ts'
import { videoNet } from './video-net.ts'

export const networkFamilies: readonly Family[] = [
  imageNet,
  audioNet,
  videoNet,
  textBag,
  textCnn,
  seriesNet,
  tableNet,
  joinedNet,
]
