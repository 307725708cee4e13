import { SENSITIVE_CLASSES } from '../../core/classification.ts';
import type { CompiledContract, TablePlan } from './compiled.ts';
import { pathText, type Problems } from './document/problems.ts';
import type { ContractDocument } from './document/shape.ts';
import { compileCheck } from './record/check.ts';
import { messagePlan, type RecordPlan } from './record/plan.ts';
import { timeOf } from './record/time.ts';
import { compileToRow } from './record/to-row.ts';
import { checkFields } from './rules/fields.ts';
import { planDerivations } from './rules/derivation.ts';
import { contractIdFault } from './rules/names.ts';
import { propertyModels } from './rules/properties.ts';
import { windowRules } from './rules/quality.ts';
import { rolesOf, serviceLevels } from './rules/service-levels.ts';
import { defaultSourceOf, keysOf, keyspaceOf, tableNameOf } from './rules/table.ts';
import { propertySummaries } from './summary.ts';

interface Context {
  readonly hash: string;
  readonly problems: Problems;
  readonly notEnforced: string[];
}

/** Compiles a document once into what every stage needs. Returns undefined, with the problems noted, where it cannot be enforced. */
export function compileContract(document: ContractDocument, context: Context): CompiledContract | undefined {
  const { problems, notEnforced } = context;
  const [schema, ...others] = document.schema;
  if (schema === undefined) return undefined;
  others.forEach((_, index) => notEnforced.push(pathText(['schema', index + 1])));
  const idFault = contractIdFault(document.id);
  if (idFault !== undefined) problems.add(['id'], idFault);

  const keyspace = keyspaceOf(document, problems);
  const name = tableNameOf(document, problems);
  const properties = propertyModels(schema.properties, ['schema', 0], context);
  const keys = keysOf(properties, problems);
  const derivations = planDerivations(properties, problems);
  const message = messagePlan(properties, derivations);
  const sourceFields = checkFields(properties, derivations, message, problems);
  const rules = windowRules(
    schema.quality,
    schema.properties.map((property) => property.name),
    ['schema', 0],
    context,
  );
  const levels = serviceLevels(document, context);
  const roles = rolesOf(document, context);
  const defaultSource = defaultSourceOf(document, problems);
  if (problems.any()) return undefined;

  const plan: RecordPlan = { properties, keys, derivations, sourceFields, message, contractSubject: document.id };
  const { retentionSeconds, latencySeconds } = levels;
  return Object.freeze({
    id: document.id,
    version: document.version,
    status: document.status,
    hash: context.hash,
    sourceFields,
    defaultSource,
    messageFields: message.map(({ field }) => field),
    topic: {
      name,
      deadLetterName: `${name}.dead-letters`,
      retentionMilliseconds: retentionSeconds === undefined ? undefined : retentionSeconds * 1000,
    },
    table: tablePlan(keyspace, name, plan),
    properties: propertySummaries(plan, schema.properties),
    dataSubject: properties.find((property) => property.dataSubject)?.name,
    windowRules: rules,
    retentionSeconds,
    latencySeconds,
    sensitiveClasses: SENSITIVE_CLASSES.filter((sensitive) =>
      properties.some(({ sealedAs }) => sealedAs === sensitive),
    ),
    time: timeOf(plan),
    roles,
    notEnforced,
    check: compileCheck(plan),
    toRow: compileToRow(plan),
  } satisfies CompiledContract);
}

function tablePlan(keyspace: string, name: string, { properties, keys }: RecordPlan): TablePlan {
  return {
    keyspace,
    name,
    columns: properties.map((property) => ({
      name: property.column,
      property: property.name,
      valueType: property.type.name,
      storedType: property.sealedAs === undefined ? property.type.name : 'text',
      classification: property.classification,
      sealedAs: property.sealedAs,
    })),
    partitionKey: keys.partition.map((property) => property.column),
    clusteringKey: keys.clustering.map((property) => property.column),
  };
}
