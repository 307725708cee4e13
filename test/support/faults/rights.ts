import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import type { PrincipalName } from '../../../security/principals/names.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** Takes a principal's right to write on a topic away, by a rule that goes before every other. Returns what gives it back. */
export async function denyWrite(admin: Admin, principal: PrincipalName, topic: string): Promise<() => Promise<void>> {
  const rule: AclEntry = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${principal}`,
    host: '*',
    operation: AclOperationTypes.WRITE,
    permissionType: AclPermissionTypes.DENY,
  };
  await admin.createAcls({ acl: [rule] });
  return async () => {
    await admin.deleteAcls({ filters: [rule] });
  };
}
