import { provideJars, type JarFolders } from './jars.ts';
import { requireJava } from './prerequisites.ts';

/**
 * Checks what a machine needs to run the servers and downloads what they consist of. Afterwards nothing needs a network.
 * Returns where they are. Throws PREREQUISITE_MISSING, naming what to install, or SERVER_START_FAILED where the download fails.
 */
export async function setupStack(environment: NodeJS.ProcessEnv, report: (line: string) => void): Promise<JarFolders> {
  await requireJava(environment);
  const folders = await provideJars(environment, report);
  report(`Kafka and Cassandra are in ${folders.kafka} and ${folders.cassandra}`);
  return folders;
}
