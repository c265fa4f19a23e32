// The members of a milestone as people read them: `0.60 conv-net + 0.40 linear`, families taken together.
export function formatMembers(members: readonly { family: string; weight: number }[]): string {
  const weights = new Map<string, number>()
  for (const { family, weight } of members) weights.set(family, (weights.get(family) ?? 0) + weight)
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  if (weights.size === 1 || total <= 0) return [...weights.keys()].join(' + ')
  return [...weights]
    .sort((a, b) => b[1] - a[1])
    .map(([family, weight]) => `${(weight / total).toFixed(2)} ${family}`)
    .join(' + ')
}
