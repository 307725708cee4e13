import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

type Ask = (host: string, options: LookupOptions & { all: true }) => Promise<LookupAddress[]>;

/** How long a new answer is waited for where there is an earlier one, in milliseconds. */
const PATIENCE = 500;

/**
 * Looks names up for connections. A system may need ten seconds to say that it does not know the name of a machine that
 * is away, and for as long holds one of the four threads that Node has for this, for files and for ciphers: attempts to reach
 * one such machine would stop everything else. So a name is asked for once at a time, whoever waits for it; and where the
 * system is slow or does not answer, the address that it gave last is taken: who is there, the certificate tells.
 */
export function steadyLookup(ask: Ask = lookup): LookupFunction {
  const known = new Map<string, LookupAddress[]>();
  const asked = new Map<string, Promise<LookupAddress[]>>();
  const fresh = (host: string, options: LookupOptions): Promise<LookupAddress[]> => {
    const under = asked.get(host);
    if (under !== undefined) return under;
    const answer = ask(host, { ...options, all: true })
      .then((addresses) => {
        known.set(host, addresses);
        return addresses;
      })
      .finally(() => asked.delete(host));
    asked.set(host, answer);
    return answer;
  };
  return (host, options, callback) => {
    const earlier = known.get(host);
    const answer = fresh(host, options);
    const settled = earlier === undefined ? answer : Promise.race([answer.catch(() => earlier), later(earlier)]);
    settled.then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true || first === undefined) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    );
  };
}

function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), PATIENCE).unref());
}
