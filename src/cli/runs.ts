// `syncer runs …`: the runs of a running service.
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'
import { addRunsCancel } from './runs-cancel.ts'
import { addRunsList } from './runs-list.ts'
import { addRunsShow } from './runs-show.ts'

export function addRuns(program: Command, io: CliIo, exit: ExitCode): void {
  const runs = program.command('runs').description('Looks at the runs of a service, and ends them.').helpCommand(false)
  addRunsList(runs, io)
  addRunsShow(runs, io, exit)
  addRunsCancel(runs, io)
}
