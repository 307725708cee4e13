import { openEscrowStore } from '../../../backup/objects/open-store.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { failed, held, type CheckGroup } from '../check.ts';

/** A name that nothing else has. */
const NAME = 'doctor/erasable';

/** What is removed from the escrow must be gone, or no key is ever destroyed. */
export const storeChecks: CheckGroup = ({ home, settings }) =>
  Promise.resolve([
    {
      id: 'escrow/erasable',
      title: 'the escrow store keeps nothing of what is removed from it',
      remedy: 'name a place as backup.escrow that has neither versioning nor object lock',
      attempt: async () => {
        const store = openEscrowStore(home, settings);
        try {
          await store.put(NAME, Buffer.from('the doctor was here'));
          await store.remove(NAME);
          const left = await store.stat(NAME);
          return left === undefined ? held(`put into ${store.address} and removed`) : failed('it is still there');
        } catch (error) {
          return failed(asWardlineError(error).message);
        } finally {
          await store.close();
        }
      },
    },
  ]);
