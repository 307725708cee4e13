import type { Command } from 'commander';
import { setUpByHand } from '../../stack/index.ts';
import { contextOf } from '../context.ts';

/** Adds the command `principals`. */
export function registerPrincipals(program: Command): void {
  program
    .command('principals')
    .description(
      'print what an administrator gives servers that Wardline did not start: users, topics, ACLs, roles, grants; never a password',
    )
    .addHelpText('after', '\nExample:\n  wardline principals > for-the-administrator.txt')
    .action((_options, command: Command) => {
      const context = contextOf(command);
      const known = context.settings().connection?.principals ?? {};
      const { users, topics, acls, cql } = setUpByHand((principal) => known[principal]?.username ?? principal);
      context.output.result({ users, topics, acls, cql }, () =>
        [
          '# Kafka: a SCRAM-SHA-512 credential for each of these (kafka-configs.sh --entity-type users); break-glass in super.users',
          ...users.map((user) => `#   ${user}`),
          ...topics.map((topic) => `kafka-topics.sh ${topic}`),
          ...acls.map((acl) => `kafka-acls.sh ${acl}`),
          '',
          '-- Cassandra, as a superuser; then give each role its password: ALTER ROLE … WITH HASHED PASSWORD',
          ...cql,
        ].join('\n'),
      );
    });
}
