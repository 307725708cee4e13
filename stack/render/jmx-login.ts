/** Who may log in to JMX, and with what. JMX can do anything to a node: every login counts as an administrator. */
export interface JmxLogin {
  readonly name: string;
  readonly password: string;
}

/** The password file of the JVM's own JMX authenticator, which is also what `nodetool -pwf` reads: mode 0600. */
export function jmxPasswordFile(logins: readonly JmxLogin[]): string {
  return logins.map(({ name, password }) => `${name} ${password}\n`).join('');
}

/** The access file that goes with it. */
export function jmxAccessFile(logins: readonly JmxLogin[]): string {
  return logins.map(({ name }) => `${name} readwrite\n`).join('');
}
