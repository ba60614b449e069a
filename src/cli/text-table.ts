// Pure: rows of cells as lines of text, in columns.

/** One line a row, its columns two blanks apart, each `indent` blanks from the left; no line ends with blanks. */
export function tableLines(rows: readonly (readonly string[])[], indent = 2): string[] {
  const widths = rows.reduce<number[]>((so, row) => row.map((cell, i) => Math.max(so[i] ?? 0, cell.length)), [])
  const margin = ' '.repeat(indent)
  return rows.map((row) => `${margin}${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}
