import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyspaceDdl, tableDdl } from './ddl.ts';
import { SHIPPED_CONTRACTS } from './find.ts';
import { loadContract } from './load.ts';

describe('the table of a contract', () => {
  const clinic = loadContract(join(import.meta.dirname, '../../test/support/contracts/clinic.odcs.yaml'));

  it('has sealed columns as text, provenance, key and retention', () => {
    expect(tableDdl(clinic)).toEqual({
      object: { type: 'table', name: 'clinic_data.vital_signs' },
      cql: `CREATE TABLE IF NOT EXISTS clinic_data.vital_signs (
  patient_id text,
  day date,
  taken_at timestamp,
  device bigint,
  heart_rate text,
  systolic text,
  diastolic text,
  weight_kg text,
  birth_date text,
  diagnosis_sealed text,
  consent text,
  ward text,
  pulse_pressure text,
  alarm text,
  generation int,
  ward_code text,
  cohort text,
  wardline_incarnation text,
  wardline_partition int,
  wardline_offset bigint,
  PRIMARY KEY ((patient_id, day), taken_at, device)
) WITH CLUSTERING ORDER BY (taken_at ASC, device ASC)
  AND default_time_to_live = 2592000
  AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}
  AND compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}
  AND comment = '{"contract":"clinic","version":"2.1.0","sealed":["heart_rate","systolic","diastolic","weight_kg","birth_date","diagnosis_sealed","consent","pulse_pressure","alarm"]}'`,
    });
  });

  it('keeps rows for ever, in one compaction, where the contract names no retention', () => {
    const { cql } = tableDdl({ ...clinic, retentionSeconds: undefined });
    expect(cql).toContain('default_time_to_live = 0');
    expect(cql).toContain('UnifiedCompactionStrategy');
  });

  it('is the seed’s for the smart home', () => {
    const { cql } = tableDdl(loadContract(join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml')));
    expect(cql).toContain('iot_data.weather_condition_and_household_energy_consumption');
    expect(cql).toContain('PRIMARY KEY ((home_id, day), ts)');
  });
});

describe('a keyspace', () => {
  it('is replicated by data center', () => {
    expect(keyspaceDdl('iot_data', { dataCenters: { datacenter1: 1, "o'two": 3 } }).cql).toBe(
      "CREATE KEYSPACE IF NOT EXISTS iot_data WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1, 'o''two': 3} AND durable_writes = true",
    );
  });
});
