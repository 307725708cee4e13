import { WardlineError } from '../../core/errors/errors.ts';
import { objectNotFound, type ObjectStore } from './object-store.ts';

/**
 * A store as it was at a time (milliseconds since the epoch, by the store's clock), for who tries a restore beside a home
 * that goes on: what was stored later is not there, and nothing can be changed. An object that was replaced since is gone.
 */
export function storeAsOf(store: ObjectStore, time: number): ObjectStore {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new WardlineError('STORE_REFUSED', `${store.address} is only looked at, as of ${new Date(time).toISOString()}`, {
        hint: 'take backup.asOf out of wardline.yaml where this home is to write',
      }),
    );
  const stat: ObjectStore['stat'] = async (name) => {
    const found = await store.stat(name);
    return found !== undefined && found.modified <= time ? found : undefined;
  };
  return {
    address: store.address,
    ...{ put: refuse, remove: refuse, removeUnfinished: refuse, stat },
    async *get(name) {
      if ((await stat(name)) === undefined) throw objectNotFound(store, name);
      yield* store.get(name);
    },
    async *list(prefix) {
      for await (const object of store.list(prefix)) if (object.modified <= time) yield object;
    },
    close: () => store.close(),
  };
}
