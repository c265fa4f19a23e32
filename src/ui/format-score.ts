// Scores as people read them: four digits, or a dash when nothing could be validated.
export function formatScore(score: number | null | undefined): string {
  return score === null || score === undefined || Number.isNaN(score) ? '-' : score.toFixed(4)
}
