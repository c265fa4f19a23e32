// Columns of text, each as wide as its widest cell; numbers stand right.
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column].length)))
  const right = header.map((_, column) => rows.every((row) => /^[-+\d.]*%?[a-zA-Z]{0,2}$/.test(row[column])))
  return all
    .map((row) =>
      row
        .map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
