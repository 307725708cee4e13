import { stringify } from 'yaml';

/** What differs between one Cassandra node and another, whoever starts it. */
export interface CassandraNode {
  readonly clusterName: string;
  readonly host: string;
  readonly seeds: readonly string[];
  readonly ports: { readonly client: number; readonly internode: number };
  readonly tokens: number;
  /** Where the node begins in the ring; without one it chooses for itself when it first starts. */
  readonly token?: string | undefined;
  readonly dataFolder: string;
  readonly commitLogFolder: string;
  /** One PEM file: private key, then certificate chain. */
  readonly keyStore: string;
  /** One PEM file: the trusted certificate authorities. */
  readonly trustStore: string;
  /** SPIFFE IDs of the nodes: nobody else's certificate is admitted to the internode port. */
  readonly peers: readonly string[];
}

/** Data centre and rack that SimpleSnitch gives every node. */
export const LOCAL_DATA_CENTER = 'datacenter1';

const TLS_PROTOCOLS = ['TLSv1.3', 'TLSv1.2'];
/** How long a node goes on with a login, role or permission that has since been taken away. */
const ACCESS_CACHE = '2s';

/**
 * What no keyspace can be called. Told nothing, or nothing to exclude, Cassandra excludes its system keyspaces from the
 * audit log, and with them whatever is refused to a client after `USE system`.
 */
const NO_KEYSPACE = '-';

/**
 * cassandra.yaml of one node: mutual TLS on every port, logins, permissions and guardrails, and the storage settings
 * that hold a small heap steady under load (trie memtables off the heap, trie-indexed SSTables).
 */
export function cassandraYaml(node: CassandraNode): string {
  return stringify({
    ...identity(node),
    ...storage(node),
    ...encryption(node),
    ...internode(node),
    ...access(),
    ...limits(),
  });
}

function identity(node: CassandraNode) {
  const seeds = node.seeds.join(',');
  return {
    cluster_name: node.clusterName,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    num_tokens: node.tokens,
    ...(node.token === undefined ? {} : { initial_token: node.token }),
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [{ class_name: 'org.apache.cassandra.locator.SimpleSeedProvider', parameters: [{ seeds }] }],
    listen_address: node.host,
    rpc_address: node.host,
    storage_port: node.ports.internode,
    native_transport_port: node.ports.client,
    start_native_transport: true,
  };
}

function storage(node: CassandraNode) {
  return {
    data_file_directories: [`${node.dataFolder}/tables`],
    commitlog_directory: node.commitLogFolder,
    hints_directory: `${node.dataFolder}/hints`,
    saved_caches_directory: `${node.dataFolder}/saved-caches`,
    cdc_raw_directory: `${node.dataFolder}/cdc`,
    // A write is acknowledged only once it is on disk: with one replica there is no other copy. Writers that wait
    // together share one fsync; the short window lets more of them join, which costs less than an fsync for each.
    commitlog_sync: 'group',
    commitlog_sync_group_window: '2ms',
    memtable: { configurations: { trie: { class_name: 'TrieMemtable' }, default: { inherits: 'trie' } } },
    memtable_allocation_type: 'offheap_objects',
    sstable: { selected_format: 'bti' },
    storage_compatibility_mode: 'NONE',
    // The seal against loss is the backup; a snapshot left behind by DROP would keep data that was meant to go.
    auto_snapshot: false,
  };
}

function encryption(node: CassandraNode) {
  const material = {
    ssl_context_factory: { class_name: 'org.apache.cassandra.security.PEMBasedSslContextFactory' },
    keystore: node.keyStore,
    truststore: node.trustStore,
    require_client_auth: true,
    accepted_protocols: TLS_PROTOCOLS,
  };
  return {
    client_encryption_options: { enabled: true, optional: false, ...material },
    server_encryption_options: { internode_encryption: 'all', optional: false, ...material },
  };
}

/**
 * The internode protocol knows no roles: whoever speaks it reads and writes everything. So a certificate of the
 * authority is not enough there, it must be a node's.
 */
function internode(node: CassandraNode) {
  return {
    internode_authenticator: {
      class_name: 'org.apache.cassandra.auth.MutualTlsInternodeAuthenticator',
      parameters: {
        validator_class_name: 'org.apache.cassandra.auth.SpiffeCertificateValidator',
        trusted_peer_identities: node.peers.join(','),
      },
    },
  };
}

function access() {
  return {
    authenticator: 'PasswordAuthenticator',
    authorizer: 'CassandraAuthorizer',
    role_manager: 'CassandraRoleManager',
    roles_validity: ACCESS_CACHE,
    permissions_validity: ACCESS_CACHE,
    credentials_validity: ACCESS_CACHE,
    // Writes of data are left out: each window of them is an event elsewhere, and a line a statement would cost more
    // than the statement.
    audit_logging_options: {
      enabled: true,
      logger: [{ class_name: 'FileAuditLogger' }],
      included_categories: 'AUTH,DDL,DCL,ERROR,QUERY',
      excluded_keyspaces: NO_KEYSPACE,
    },
    drop_truncate_table_enabled: false,
    drop_keyspace_enabled: false,
  };
}

function limits() {
  return {
    concurrent_reads: 16,
    concurrent_writes: 32,
    user_defined_functions_enabled: false,
    materialized_views_enabled: false,
  };
}
