import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { hasCassandra, nodetool, nodetoolWith } from '../../../stack/index.ts';
import { failed, held, notTried, type Check, type CheckGroup, type Patient, type Result } from '../check.ts';

const REMEDY =
  'have JMX ask for a login: com.sun.management.jmxremote.authenticate=true with a password file, on loopback alone';
const REFUSAL = /Authentication failed|Invalid username or password|Credentials required/i;

/** Cassandra's JMX can do anything to a node. */
export const jmxChecks: CheckGroup = (patient) => {
  const attempts: readonly { name: string; title: string; login: () => readonly string[] }[] = [
    { name: 'anonymous', title: 'nobody gets in without a login', login: () => [] },
    {
      name: 'wrong-password',
      title: 'a wrong password is refused',
      login: () => ['-u', 'wardline', '-pwf', passwordFile(patient, 'wardline wrong')],
    },
    {
      name: 'default',
      title: 'the default login is refused',
      login: () => ['-u', 'cassandra', '-pwf', passwordFile(patient, 'cassandra cassandra')],
    },
  ];
  return Promise.resolve([
    {
      id: 'jmx/login',
      title: 'JMX: the stack logs in',
      remedy: 'see that Cassandra runs: wardline status',
      attempt: () =>
        ifBesideNode(patient, async () => {
          await nodetool(patient.home, ['info']);
          return held('nodetool info answers');
        }),
    },
    ...attempts.map(({ name, title, login }): Check => ({
      id: `jmx/${name}`,
      title: `JMX: ${title}`,
      remedy: REMEDY,
      attempt: () =>
        ifBesideNode(patient, async () => {
          try {
            await nodetoolWith(patient.home, login(), ['info']);
            return failed('nodetool info was answered');
          } catch (error) {
            const { message } = asWardlineError(error);
            return REFUSAL.test(message) ? held(message) : failed(message);
          }
        }),
    })),
  ]);
};

/** Beside a node: in the home of embedded servers, or of a container that shares the network namespace of Cassandra's. */
async function ifBesideNode({ home }: Patient, attempt: () => Promise<Result>): Promise<Result> {
  return hasCassandra(home)
    ? attempt()
    : notTried('no node of Cassandra is beside this home: its JMX is not known here');
}

function passwordFile({ folder }: Patient, content: string): string {
  const path = join(folder, `${content.replaceAll(' ', '-')}.jmx`);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}
