import type { CompiledContract } from '../contract/compiled.ts';
import type { CassandraFacts } from './cassandra-facts.ts';
import { planCassandra } from './cassandra-plan.ts';
import type { KafkaFacts } from './kafka-facts.ts';
import { planKafka } from './kafka-plan.ts';
import type { ProvisionPlan, ProvisionSettings } from './plan.ts';

/** What stands on the servers now. */
export interface Facts {
  readonly kafka: KafkaFacts;
  readonly cassandra: CassandraFacts;
}

/**
 * Compares what a contract needs with what there is. Pure: the same facts give the same plan, and a plan that was applied
 * is followed by an empty one.
 */
export function compareWithServers(
  contract: CompiledContract,
  facts: Facts,
  settings: ProvisionSettings,
): ProvisionPlan {
  const kafka = planKafka(contract, facts.kafka, settings);
  const cassandra = planCassandra(contract, facts.cassandra, settings);
  return {
    changes: [...kafka.changes, ...cassandra.changes],
    conflicts: [...kafka.conflicts, ...cassandra.conflicts],
  };
}
