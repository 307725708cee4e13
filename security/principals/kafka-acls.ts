import kafkajs, { type AclEntry } from 'kafkajs';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC, ownGroup, PRINCIPAL_NAMES, type PrincipalName } from './names.ts';
import { PRINCIPALS, type KafkaOperation, type KafkaPlace } from './table.ts';

/** `base`: what holds once per cluster. `contract`: what one contract adds. */
export type KafkaScope =
  | { readonly kind: 'base' }
  | {
      readonly kind: 'contract';
      readonly topic: string;
      readonly deadLetterTopic: string;
      readonly workerGroup: string;
    };

interface KafkaResource {
  readonly type: 'TOPIC' | 'GROUP' | 'CLUSTER';
  readonly name: string;
  readonly pattern: 'LITERAL' | 'PREFIXED';
}

/** One rule of Kafka's authorizer, in words. */
export interface KafkaAcl {
  readonly principal: PrincipalName;
  readonly resource: KafkaResource;
  readonly operation: KafkaOperation;
  readonly permission: 'ALLOW' | 'DENY';
}

// kafkajs is CommonJS: Node finds its values on the default export only.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

type Places = Partial<Record<KafkaPlace, (principal: PrincipalName) => KafkaResource>>;

const literal = (type: KafkaResource['type'], name: string) => (): KafkaResource => ({
  type,
  name,
  pattern: 'LITERAL',
});

/** Kafka reads the literal name `*` as every resource of the type, and calls the one cluster `kafka-cluster`. */
const BASE_PLACES: Places = {
  'audit topic': literal('TOPIC', AUDIT_TOPIC),
  'checkpoints topic': literal('TOPIC', CHECKPOINTS_TOPIC),
  'all topics': literal('TOPIC', '*'),
  'own groups': (principal) => ({ type: 'GROUP', name: ownGroup(principal), pattern: 'PREFIXED' }),
  'all groups': literal('GROUP', '*'),
  cluster: literal('CLUSTER', 'kafka-cluster'),
};

function placesOf(scope: KafkaScope): Places {
  if (scope.kind === 'base') return BASE_PLACES;
  return {
    'data topic': literal('TOPIC', scope.topic),
    'dead-letter topic': literal('TOPIC', scope.deadLetterTopic),
    'worker group': literal('GROUP', scope.workerGroup),
  };
}

/** Every ACL that the table of principals asks for in this scope. The order is stable; no row occurs twice. */
export function kafkaAcls(scope: KafkaScope): readonly KafkaAcl[] {
  const places = placesOf(scope);
  return PRINCIPAL_NAMES.flatMap((principal) =>
    PRINCIPALS[principal].kafka.flatMap((right) => {
      const resource = places[right.on]?.(principal);
      if (resource === undefined) return [];
      const rule = (permission: KafkaAcl['permission']) => (operation: KafkaOperation) => ({
        principal,
        resource,
        operation,
        permission,
      });
      return [...(right.allow ?? []).map(rule('ALLOW')), ...(right.deny ?? []).map(rule('DENY'))];
    }),
  );
}

/**
 * The rows as kafkajs' `admin.createAcls` takes them. `usernameOf` gives a principal's SASL name,
 * which is its own name unless a connection to others' servers says otherwise.
 */
export function aclEntries(
  acls: readonly KafkaAcl[],
  usernameOf: (principal: PrincipalName) => string = (principal) => principal,
): AclEntry[] {
  return acls.map((acl) => ({
    resourceType: AclResourceTypes[acl.resource.type],
    resourceName: acl.resource.name,
    resourcePatternType: ResourcePatternTypes[acl.resource.pattern],
    principal: `User:${usernameOf(acl.principal)}`,
    host: '*',
    operation: AclOperationTypes[acl.operation],
    permissionType: AclPermissionTypes[acl.permission],
  }));
}
