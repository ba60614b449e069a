// `syncer db …`: tables of two databases, kept in step.
import type { Command } from 'commander'
import { addDbSync } from './db-sync.ts'
import { addDbVerify } from './db-verify.ts'
import { addDbWindow } from './db-window.ts'
import { addDbWorker } from './db-worker.ts'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'

export function addDb(program: Command, io: CliIo, exit: ExitCode): void {
  const db = program.command('db').description('Syncs and compares the tables of two databases.').helpCommand(false)
  addDbSync(db, io, exit)
  addDbVerify(db, io, exit)
  addDbWindow(db, io, exit)
  addDbWorker(db, io, exit)
}
