import { dirname, resolve } from 'node:path';
import { z } from 'zod';

/** Where one principal's credentials and keys are. Every entry is a file's path, except the name itself; secrets stay in the files. */
const principalAccess = z.strictObject({
  username: z.string().min(1),
  passwordFile: z.string().min(1),
  certificate: z.string().min(1),
  key: z.string().min(1),
  signingKey: z.string().min(1),
  keyStore: z.string().min(1),
  keyStorePassphrase: z.string().min(1),
});

/**
 * How to reach the servers, and as whom: the one way to connect. The embedded stack writes such a block into
 * `connection.yaml`; for servers that Wardline did not start, the same block with `mode: external` stands in wardline.yaml.
 */
export const connectionSchema = z.strictObject({
  mode: z.enum(['embedded', 'external']),
  kafka: z.strictObject({ brokers: z.array(z.string().regex(/^[^:\s]+:\d+$/)).min(1), ca: z.string().min(1) }),
  cassandra: z.strictObject({
    contactPoints: z.array(z.string().regex(/^[^:\s]+:\d+$/)).min(1),
    localDataCenter: z.string().min(1),
    ca: z.string().min(1),
  }),
  principals: z.record(z.string(), principalAccess),
});

export type Connection = z.infer<typeof connectionSchema>;
export type PrincipalAccess = z.infer<typeof principalAccess>;

/** The same connection with every path absolute: paths in a file count from that file's folder. */
export function withAbsolutePaths(connection: Connection, file: string): Connection {
  const absolute = (path: string): string => resolve(dirname(file), path);
  const principals = Object.entries(connection.principals).map(([name, access]) => [
    name,
    {
      username: access.username,
      passwordFile: absolute(access.passwordFile),
      certificate: absolute(access.certificate),
      key: absolute(access.key),
      signingKey: absolute(access.signingKey),
      keyStore: absolute(access.keyStore),
      keyStorePassphrase: absolute(access.keyStorePassphrase),
    },
  ]);
  return {
    mode: connection.mode,
    kafka: { brokers: connection.kafka.brokers, ca: absolute(connection.kafka.ca) },
    cassandra: { ...connection.cassandra, ca: absolute(connection.cassandra.ca) },
    principals: Object.fromEntries(principals) as Record<string, PrincipalAccess>,
  };
}
