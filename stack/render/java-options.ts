/**
 * A file of arguments for `java @FILE`: one argument a line, quoted, so that any path is taken as it is.
 * The process list then shows the file's name only.
 */
export function javaOptions(options: readonly string[]): string {
  return options.map((option) => `"${option.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`).join('');
}

export interface KafkaJvm {
  readonly heapMegabytes: number;
  readonly jars: string;
  readonly temporaryFolder: string;
  readonly loggingConfiguration: string;
}

/** What every Kafka JVM is started with, up to the main class and its own arguments. */
export function kafkaJvmOptions(jvm: KafkaJvm): string[] {
  return [
    `-Xms${jvm.heapMegabytes}m`,
    `-Xmx${jvm.heapMegabytes}m`,
    ...COMMON,
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
    // Native compression libraries are unpacked here: two homes, and a /tmp without exec, stay out of each other's way.
    `-Djava.io.tmpdir=${jvm.temporaryFolder}`,
    `-Dlog4j2.configurationFile=${jvm.loggingConfiguration}`,
    '-cp',
    `${jvm.jars}/*`,
  ];
}

export interface CassandraJvm {
  readonly heapMegabytes: number;
  readonly jars: string;
  readonly jammJar: string;
  readonly temporaryFolder: string;
  readonly dataFolder: string;
  readonly configuration: string;
  readonly loggingConfiguration: string;
  /** Whether the node takes its place among others, or is alone. */
  readonly joins: boolean;
  readonly jmx: { readonly port: number; readonly passwordFile: string; readonly accessFile: string };
}

/** What a Cassandra JVM is started with, up to the main class. */
export function cassandraJvmOptions(jvm: CassandraJvm): string[] {
  return [
    `-Xms${jvm.heapMegabytes}m`,
    `-Xmx${jvm.heapMegabytes}m`,
    ...COMMON,
    '-XX:+ParallelRefProcEnabled',
    '-XX:MaxGCPauseMillis=100',
    '-Xss512k',
    `-javaagent:${jvm.jammJar}`,
    `-Djava.io.tmpdir=${jvm.temporaryFolder}`,
    `-Djna.tmpdir=${jvm.temporaryFolder}`,
    `-Dcassandra.storagedir=${jvm.dataFolder}`,
    `-Dcassandra.config=file://${jvm.configuration}`,
    `-Dlogback.configurationFile=${jvm.loggingConfiguration}`,
    ...jmx(jvm.jmx),
    ...(jvm.joins ? JOINING_START : SINGLE_NODE_START),
    ...JDK_INTERNALS,
    '-cp',
    `${jvm.jars}/*`,
  ];
}

/** nodetool in a JVM of its own, up to its arguments. */
export function nodetoolJvmOptions(jars: string, folder: string, loggingConfiguration: string): string[] {
  return [
    '-Xmx64m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    // It keeps a history of its commands in the user's folder: in the home's instead.
    `-Duser.home=${folder}`,
    `-Dlogback.configurationFile=${loggingConfiguration}`,
    ...JDK_INTERNALS,
    '-cp',
    `${jars}/*`,
    'org.apache.cassandra.tools.NodeTool',
  ];
}

const COMMON = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:+ExitOnOutOfMemoryError',
  '-XX:+PerfDisableSharedMem',
  '-Djava.awt.headless=true',
  '-Djava.net.preferIPv4Stack=true',
  '-Dfile.encoding=UTF-8',
];

/** A lone node has nobody to wait for. */
const SINGLE_NODE_START = [
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.ring_delay_ms=100',
  '-Dcassandra.superuser_setup_delay_ms=0',
  '-Dcassandra.shutdown_announce_in_ms=0',
];

/** Long enough to hear of every node on a network that is slow, before ranges change hands. */
const JOINING_START = ['-Dcassandra.ring_delay_ms=10000', '-Dcassandra.superuser_setup_delay_ms=0'];

/** Loopback only, never without a login. */
function jmx(options: CassandraJvm['jmx']): string[] {
  return [
    `-Dcassandra.jmx.local.port=${options.port}`,
    '-Dcom.sun.management.jmxremote.authenticate=true',
    `-Dcom.sun.management.jmxremote.password.file=${options.passwordFile}`,
    `-Dcom.sun.management.jmxremote.access.file=${options.accessFile}`,
  ];
}

/** Parts of the JDK that Cassandra 5.0 reaches into on Java 17. */
const JDK_INTERNALS = [
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dio.netty.allocator.useCacheForAllThreads=true',
  ...[
    'java.base/java.lang.ref',
    'java.base/jdk.internal.misc',
    'java.management/com.sun.jmx.remote.security',
    'java.management.rmi/com.sun.jmx.remote.internal.rmi',
    'java.rmi/sun.rmi.registry',
    'java.rmi/sun.rmi.server',
    'java.sql/java.sql',
    'jdk.attach/sun.tools.attach',
    'jdk.compiler/com.sun.tools.javac.file',
    'jdk.unsupported/sun.misc',
  ].map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...[
    'java.base/java.io',
    'java.base/java.lang',
    'java.base/java.lang.module',
    'java.base/java.lang.reflect',
    'java.base/java.util',
    'java.base/jdk.internal.loader',
    'java.base/jdk.internal.math',
    'java.base/jdk.internal.module',
    'java.base/jdk.internal.ref',
    'java.base/jdk.internal.reflect',
    'java.base/jdk.internal.util.jar',
    'java.base/sun.nio.ch',
    'jdk.compiler/com.sun.tools.javac',
    'jdk.management/com.sun.management.internal',
  ].map((name) => `--add-opens=${name}=ALL-UNNAMED`),
];
