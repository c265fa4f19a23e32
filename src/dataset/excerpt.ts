// Which part stands for a long sequence when only so much of it is looked at: the middle, where recordings are least likely to be
// silence, a jingle or a fade. An excerpt of an excerpt is itself, so that a graph which cuts clips (families/fronts/excerpt.ts) may
// also be given cut ones.

/** The first of `count` consecutive steps of a sequence that has `steps`; 0 where it has no more. */
export function excerptStart(steps: number, count: number): number {
  return Math.max(0, Math.floor((steps - count) / 2))
}
