// What a command prints without what differs from one run to the next. Pure.

/** The lines of a text with names, numbers, addresses and moments made alike. */
export function shapesOf(text: string): ReadonlySet<string> {
  const shaped = text
    .replaceAll(/http:[\w.:/-]+/g, 'URL')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'MOMENT')
    .replaceAll(/^ {2}[a-z-]+(?= {2}latest)/gm, '  NAME')
    .replaceAll(/differs in [a-z, -]+/g, 'differs in NAMES')
    .replaceAll(/\d+ tokens?\b/g, 'N tokens')
    .replaceAll(/\d+(?:\.\d+)?(?: (?:ms|s|min|h))?/g, 'N')
    // What is 0 is left out of a sum.
    .replaceAll(/(?<=: )N [a-z]+(?:, N [a-z]+)*$/gm, 'COUNTS')
    .replaceAll(/(?<=\S) {2,}/g, '  ')
    .split('\n')
    .map((line) => line.trimEnd())
  return new Set(shaped.filter((line) => line !== ''))
}
