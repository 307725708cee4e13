/** Stops this process, as SIGSTOP from outside would. */
export function stopHere(): void {
  process.kill(process.pid, 'SIGSTOP');
}

/** Puts another method in the place of one, which is given the old one, bound, and the call's arguments. */
export function replace(
  owner: object,
  method: string,
  by: (old: (...call: unknown[]) => unknown, call: unknown[]) => unknown,
): void {
  const old = Reflect.get(owner, method) as (...call: unknown[]) => unknown;
  Reflect.set(owner, method, function (this: unknown, ...call: unknown[]) {
    return by(old.bind(this), call);
  });
}
