import { isSensitive } from '../../../core/classification.ts';
import { CQL_TYPES, defaultTypeOf } from '../cql/cql-types.ts';
import type { CqlType, LogicalType, Spelling } from '../cql/cql-type.ts';
import { compileTimeFormat } from '../cql/time-format.ts';
import type { Path, Problems } from '../document/problems.ts';
import type { PropertyDocument } from '../document/shape.ts';
import { propertyExtras, type PropertyExtras } from './custom-properties.ts';
import { limitRules } from './limits.ts';
import { nameFault } from './names.ts';
import type { Origin, PropertyModel } from './property-model.ts';
import { recordRules } from './quality.ts';

interface Notes {
  readonly problems: Problems;
  readonly notEnforced: string[];
}

/** Resolves every property of a table, noting what is wrong with each. The models are complete even where problems were found. */
export function propertyModels(documents: readonly PropertyDocument[], path: Path, notes: Notes): PropertyModel[] {
  const models = documents.map((document, slot) => propertyModel(document, slot, [...path, 'properties', slot], notes));
  for (const [kind, nameOf] of [
    ['name', (model: PropertyModel) => model.name],
    ['column', (model: PropertyModel) => model.column],
  ] as const) {
    const seen = new Set<string>();
    for (const model of models) {
      const name = nameOf(model);
      if (seen.has(name)) notes.problems.add([...model.path, 'name'], `the ${kind} "${name}" is used twice`);
      seen.add(name);
    }
  }
  return models;
}

function propertyModel(document: PropertyDocument, slot: number, path: Path, notes: Notes): PropertyModel {
  const { problems } = notes;
  const extras = propertyExtras(document.customProperties, path, notes);
  const { type, logicalType } = types(document, path, problems);
  const spelling = spellingOf(document, type, extras, path, problems);
  const column = document.encryptedName ?? document.name;
  const sealedAs = isSensitive(document.classification) ? document.classification : undefined;
  noteFault(nameFault('column', document.name), [...path, 'name'], problems);
  if (document.encryptedName !== undefined) {
    noteFault(nameFault('column', document.encryptedName), [...path, 'encryptedName'], problems);
    if (sealedAs === undefined)
      problems.add([...path, 'encryptedName'], 'is for sealed properties: personal or restricted');
  }
  if (extras.absenceSensitive && sealedAs === undefined) {
    problems.add(path, 'absenceSensitive is for sealed properties: personal or restricted');
  }
  const typing = { type, logicalType, spelling };
  return {
    path,
    slot,
    name: document.name,
    column,
    type,
    logicalType,
    spelling,
    classification: document.classification,
    sealedAs,
    required: document.required,
    nullValues: new Set(extras.nullValues.map(String)),
    absenceSensitive: extras.absenceSensitive,
    dataSubject: extras.dataSubject,
    declassified: extras.declassified,
    origin: originOf(document, extras, path, problems),
    partitionPosition: document.partitioned ? document.partitionKeyPosition : undefined,
    clusteringPosition: document.primaryKey && !document.partitioned ? document.primaryKeyPosition : undefined,
    limits: limitRules(document.logicalTypeOptions, typing, path, notes),
    quality: recordRules(document.quality, typing, path, notes),
  };
}

function types(
  document: PropertyDocument,
  path: Path,
  problems: Problems,
): { type: CqlType; logicalType: LogicalType } {
  const { logicalType, physicalType } = document;
  if (physicalType === undefined) {
    if (logicalType === undefined) problems.add(path, 'needs a logicalType, a physicalType, or both');
    const logical = logicalType ?? 'string';
    return { type: defaultTypeOf(logical), logicalType: logical };
  }
  const type = CQL_TYPES[physicalType];
  if (logicalType !== undefined && !type.logicalTypes.includes(logicalType)) {
    const fitting = Object.values(CQL_TYPES).filter((candidate) => candidate.logicalTypes.includes(logicalType));
    const names = fitting.map((candidate) => candidate.name).join(' or ');
    problems.add([...path, 'physicalType'], `a ${logicalType} cannot be a ${physicalType}; it can be ${names}`);
  }
  return { type, logicalType: logicalType ?? type.logicalTypes[0] ?? 'string' };
}

function spellingOf(
  document: PropertyDocument,
  type: CqlType,
  extras: PropertyExtras,
  path: Path,
  problems: Problems,
): Spelling {
  const epochUnit = extras.epochUnit ?? 's';
  if (extras.epochUnit !== undefined && type.name !== 'timestamp') problems.add(path, 'epochUnit is for timestamps');
  const format = document.logicalTypeOptions['format'];
  if (format === undefined || (type.name !== 'date' && type.name !== 'timestamp'))
    return { epochUnit, format: undefined };
  const compiled = typeof format === 'string' ? compileTimeFormat(format) : { problem: 'must be text' };
  if ('parse' in compiled) return { epochUnit, format: compiled };
  problems.add([...path, 'logicalTypeOptions', 'format'], compiled.problem);
  return { epochUnit, format: undefined };
}

function originOf(document: PropertyDocument, extras: PropertyExtras, path: Path, problems: Problems): Origin {
  const { transformLogic, transformSourceObjects } = document;
  if (transformLogic === undefined) {
    if (extras.declassified !== undefined)
      problems.add(path, 'declassified is for derived properties: those with a transformLogic');
    if ((transformSourceObjects?.length ?? 1) !== 1) {
      problems.add(
        [...path, 'transformSourceObjects'],
        'names one source field, unless a transformLogic combines several',
      );
    }
    return {
      kind: 'direct',
      field: transformSourceObjects?.[0] ?? document.name,
      epoch: extras.epochUnit !== undefined,
    };
  }
  for (const [given, name] of [
    [extras.nullValues.length > 0, 'nullValues'],
    [extras.epochUnit !== undefined, 'epochUnit'],
  ] as const) {
    if (given) problems.add(path, `${name} is for source fields; this property is derived`);
  }
  return { kind: 'derived', expression: transformLogic, listed: transformSourceObjects };
}

function noteFault(fault: string | undefined, path: Path, problems: Problems): void {
  if (fault !== undefined) problems.add(path, fault);
}
