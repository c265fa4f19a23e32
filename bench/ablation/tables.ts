// Ablations as Markdown tables: one line per dataset and family, and means per kind of data.

export interface Ablation {
  name: string
  kind: string
  /** Of the whole ladder, means over seeds. */
  alc: number
  nauc: number
  /** Per seed, which family weighed most from which second on. */
  leaders: string[]
  /** The same without one family. */
  without: { family: string; alc: number; nauc: number }[]
}

export function datasetTable(ablations: readonly Ablation[]): string {
  const lines = ablations.flatMap(({ name, alc, nauc, leaders, without }) => [
    row([name, '(none)', alc.toFixed(4), nauc.toFixed(4), '', '', leaders.join('; ')]),
    ...without.map((part) =>
      row([
        '',
        part.family,
        part.alc.toFixed(4),
        part.nauc.toFixed(4),
        signed(alc - part.alc),
        signed(nauc - part.nauc),
        '',
      ]),
    ),
  ])
  const heads = ['dataset', 'without', 'ALC', 'final NAUC', 'ALC earned', 'NAUC earned', 'led by (from second)']
  return [row(heads), row(heads.map(() => '---')), ...lines].join('\n')
}

/** Means over the datasets of a kind in which the family took part, and the most it earned on one. */
export function kindTable(ablations: readonly Ablation[]): string {
  const earned = new Map<string, { alc: number; nauc: number; name: string }[]>()
  for (const { name, kind, alc, nauc, without } of ablations) {
    for (const part of without) {
      const key = `${kind} | ${part.family}`
      earned.set(key, [...(earned.get(key) ?? []), { alc: alc - part.alc, nauc: nauc - part.nauc, name }])
    }
  }
  const lines = [...earned]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, list]) => {
      const mean = (field: 'alc' | 'nauc') => list.reduce((sum, item) => sum + item[field], 0) / list.length
      const most = list.reduce((a, b) => (b.alc > a.alc ? b : a))
      return `| ${key} | ${list.length} | ${signed(mean('alc'))} | ${signed(mean('nauc'))} | ${signed(most.alc)} (${most.name}) |`
    })
  const heads = ['kind', 'family', 'datasets', 'ALC earned', 'NAUC earned', 'most ALC on one']
  return [row(heads), row(heads.map(() => '---')), ...lines].join('\n')
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
