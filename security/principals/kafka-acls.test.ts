import { describe, expect, it } from 'vitest';
import { aclEntries, kafkaAcls } from './kafka-acls.ts';
import { PRINCIPAL_NAMES } from './names.ts';

const base = kafkaAcls({ kind: 'base' });
const contract = kafkaAcls({
  kind: 'contract',
  topic: 'readings',
  deadLetterTopic: 'readings.dead-letters',
  workerGroup: 'wardline.worker.smart-home',
});

/** Rows as short texts, so that an expectation reads like the table in the documentation. */
function rights(principal: string): string[] {
  return [...base, ...contract]
    .filter((acl) => acl.principal === principal)
    .map(({ permission, operation, resource }) => {
      const name = resource.pattern === 'PREFIXED' ? `${resource.name}…` : resource.name;
      return `${permission} ${operation} ${resource.type} ${name}`;
    });
}

describe('kafkaAcls', () => {
  it.each([
    [
      'source',
      ['ALLOW WRITE TOPIC wardline.audit', 'ALLOW WRITE TOPIC readings', 'ALLOW WRITE TOPIC readings.dead-letters'],
    ],
    [
      'worker',
      [
        'ALLOW WRITE TOPIC wardline.audit',
        'ALLOW READ TOPIC readings',
        'ALLOW READ GROUP wardline.worker.smart-home',
        'ALLOW WRITE TOPIC readings.dead-letters',
      ],
    ],
    [
      'notary',
      [
        'ALLOW READ TOPIC wardline.audit',
        'ALLOW WRITE TOPIC wardline.audit',
        'ALLOW READ TOPIC wardline.checkpoints',
        'ALLOW WRITE TOPIC wardline.checkpoints',
        'ALLOW READ GROUP wardline.notary…',
      ],
    ],
    ['recorder', ['ALLOW WRITE TOPIC wardline.audit']],
    [
      'auditor',
      [
        'ALLOW READ TOPIC wardline.audit',
        'ALLOW WRITE TOPIC wardline.audit',
        'ALLOW READ TOPIC wardline.checkpoints',
        'ALLOW READ GROUP wardline.auditor…',
      ],
    ],
    ['reader', ['ALLOW WRITE TOPIC wardline.audit']],
    ['break-glass', []],
  ])('gives %s exactly its rights', (principal, expected) => {
    expect(rights(principal).sort()).toEqual([...expected].sort());
  });

  it('denies the operator whatever could remove or reconfigure audit events', () => {
    const denied = rights('operator').filter((right) => right.startsWith('DENY'));
    expect(denied.sort()).toEqual(
      [
        'DENY DELETE TOPIC wardline.audit',
        'DENY ALTER TOPIC wardline.audit',
        'DENY ALTER_CONFIGS TOPIC wardline.audit',
        'DENY WRITE TOPIC wardline.checkpoints',
        'DENY DELETE TOPIC wardline.checkpoints',
        'DENY ALTER TOPIC wardline.checkpoints',
        'DENY ALTER_CONFIGS TOPIC wardline.checkpoints',
      ].sort(),
    );
  });

  it('lets nobody but the archiver read every topic, and nobody write every topic', () => {
    const everywhere = base.filter((acl) => acl.resource.type === 'TOPIC' && acl.resource.name === '*');
    expect(everywhere.filter((acl) => acl.operation === 'READ').map((acl) => acl.principal)).toEqual(['archiver']);
    expect(everywhere.filter((acl) => acl.operation === 'WRITE')).toEqual([]);
  });

  it('names no row twice', () => {
    const texts = PRINCIPAL_NAMES.flatMap((principal) => rights(principal).map((right) => `${principal} ${right}`));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('aclEntries', () => {
  it("puts rows into the numbers of Kafka's protocol", () => {
    const entries = aclEntries(contract.filter((acl) => acl.principal === 'worker' && acl.resource.type === 'GROUP'));
    // AclOperation.READ is 3, ResourceType.GROUP 3, PatternType.LITERAL 3, AclPermissionType.ALLOW 3 in Kafka's own source.
    expect(entries).toEqual([
      {
        resourceType: 3,
        resourceName: 'wardline.worker.smart-home',
        resourcePatternType: 3,
        principal: 'User:worker',
        host: '*',
        operation: 3,
        permissionType: 3,
      },
    ]);
  });

  it("uses the connection's own user names", () => {
    const [entry] = aclEntries(contract, (principal) => `acme-${principal}`);
    expect(entry?.principal).toBe('User:acme-source');
  });
});
