// The one error of the configuration: everything that is wrong with it, at once.

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** Absolute path of the file, or what else the problems are in. */
  readonly source: string
  /** One line each: where, what is wrong, what is allowed. Never the value of a secret. */
  readonly problems: readonly string[]

  /** `source`: the file (or 'defaults') that the problems are in. */
  constructor(source: string, problems: readonly string[]) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n')
    super(`configuration (${source}): ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n${lines}`)
    this.source = source
    this.problems = problems
  }
}
