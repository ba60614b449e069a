// Writes the page about problems from the catalogue that the service answers from.
import { PROBLEMS, PROBLEMS_OF_RUNS } from '../../src/http/problem-kinds.ts'

/** Markdown of `docs/problems.md`. */
export function renderProblems(): string {
  const sections = Object.entries(PROBLEMS).map(
    ([name, { status, title, meaning, remedy }]) =>
      `## ${name}\n\n\`/problems/${name}\` · ${status} · ${title}\n\n${meaning}\n\n*What to do:* ${linkPages(remedy)}\n`,
  )
  const ofRuns = Object.entries(PROBLEMS_OF_RUNS).map(
    ([name, { title, meaning, remedy }]) =>
      `### ${name}\n\n\`/problems/${name}\` · ${title}\n\n${meaning}\n\n*What to do:* ${linkPages(remedy)}\n`,
  )
  return `<!-- Generated from src/http/problem-kinds.ts by \`npm run generate\`; do not edit. -->
# Problems

Every error of the service is \`application/problem+json\` (RFC 9457). Programs decide by \`type\`, which never changes;
people read \`detail\`. \`requestId\` finds the line in the log.

${sections.join('\n')}
## Problems of runs

A run that failed as a whole says why in its field \`problem\`, which has \`type\`, \`title\` and \`detail\`. It is one of these, or
\`internal-error\` or \`state-unavailable\` of the problems above.

${ofRuns.join('\n')}`
}

/** The page stands beside those that remedies name. */
const linkPages = (text: string): string => text.replaceAll(/\bdocs\/([\w/-]+\.md)/g, '[$1]($1)')
