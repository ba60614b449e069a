// What Maven Central holds, into the cache folder: the jars of a server with all that they need, or an archive, unpacked.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installPackages } from './debian.ts'
import { runCommand } from './run-command.ts'
import { cacheFolder } from './run-folder.ts'
import { tieToParent } from './server-process.ts'

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
/** How long one download may take, tries included: half an hour. */
const DOWNLOAD_MS = 30 * 60_000

/** Installs Maven, and with it a Java, unless it is there. Throws when it cannot be had. */
export async function installMaven(log: (line: string) => void): Promise<void> {
  if (spawnSync('mvn', ['-version']).error !== undefined) await installPackages(['maven'], log)
}

/** Copies the jars that a pom asks for, and those that these need when they run, into a folder. Throws when one cannot be had. */
export async function copyJars(pom: string, folder: string): Promise<void> {
  await runMaven('copy-dependencies', ['-f', pom, `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'])
}

/** Unpacks an archive, named `group:artifact:version:zip`, into a folder. Throws when it cannot be had. */
export async function unpackArtifact(artifact: string, folder: string): Promise<void> {
  await runMaven('unpack', [`-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`])
}

async function runMaven(goal: string, args: readonly string[]): Promise<void> {
  // Maven renames a download when it is complete: an interrupted one is begun again.
  const repository = `-Dmaven.repo.local=${join(cacheFolder(), 'maven')}`
  const options = ['-B', '-ntp', repository, '-Dmaven.wagon.http.retryHandler.count=5']
  await runCommand(...tieToParent('mvn', [...options, `${PLUGIN}:${goal}`, ...args]), {}, DOWNLOAD_MS)
}
