import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { ObjectStore } from '../object-store.ts';
import type { S3Place } from './s3-client.ts';
import { asS3Error, nameOf } from './s3-errors.ts';

const HINT = 'name another bucket as backup.escrow, one that never had versioning and has no object lock';

/**
 * A store whose bucket keeps nothing of what is removed: asked before the first put, and after each removal, since a
 * bucket can be changed in between. Both throw STORE_REFUSED where it keeps something, or does not say.
 */
export function requireErasable(store: ObjectStore, place: S3Place): ObjectStore {
  let known = false;
  return {
    ...store,
    async put(name, body) {
      if (!known) await checkErasable(place);
      known = true;
      return store.put(name, body);
    },
    async remove(name) {
      await store.remove(name);
      await checkErasable(place);
    },
  };
}

async function checkErasable({ client, bucket, address }: S3Place): Promise<void> {
  const refuse = (why: string): never => {
    throw new WardlineError('STORE_REFUSED', `${address} is no place for keys: ${why}`, { hint: HINT });
  };
  const target = { Bucket: bucket };
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand(target));
    // A bucket whose versioning is suspended still has the versions of before.
    if (Status !== undefined) refuse(`its bucket keeps former versions (versioning: ${Status})`);
    const lock = await client.send(new GetObjectLockConfigurationCommand(target)).catch(noneIfMissing);
    if (lock?.ObjectLockConfiguration?.ObjectLockEnabled !== undefined) refuse('its bucket has object lock');
  } catch (error) {
    const failure = asS3Error(error, address);
    if (nameOf(error) === 'AccessDenied') refuse('its bucket does not say whether it keeps what is removed');
    throw failure;
  }
}

function noneIfMissing(error: unknown): undefined {
  if (nameOf(error) !== 'ObjectLockConfigurationNotFoundError') throw error;
}
