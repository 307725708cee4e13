import type { KafkaAcl } from '../../security/principals/kafka-acls.ts';
import type { PrincipalName } from '../../security/principals/names.ts';

/** The option by which `kafka-acls.sh` names a resource. The cluster has no name of its own there. */
const RESOURCE_OPTIONS = {
  TOPIC: (name: string) => `--topic '${name}'`,
  GROUP: (name: string) => `--group '${name}'`,
  CLUSTER: () => '--cluster',
} as const satisfies Record<KafkaAcl['resource']['type'], (name: string) => string>;

/** The spelling that `kafka-acls.sh` has for an operation: `ALTER_CONFIGS` is `AlterConfigs`. */
function operationName(operation: string): string {
  return operation
    .split('_')
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('');
}

/** One rule as arguments of Kafka's own `kafka-acls.sh`. */
export function aclArguments(
  { principal, resource, operation, permission }: KafkaAcl,
  usernameOf: (principal: PrincipalName) => string,
): string {
  const who = `--${permission === 'ALLOW' ? 'allow' : 'deny'}-principal 'User:${usernameOf(principal)}'`;
  const where = RESOURCE_OPTIONS[resource.type](resource.name);
  const pattern = resource.pattern === 'PREFIXED' ? ' --resource-pattern-type prefixed' : '';
  return `--add ${who} --operation ${operationName(operation)} ${where}${pattern}`;
}
