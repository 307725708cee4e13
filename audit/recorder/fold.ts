import type { EventStatement } from '../event/event.ts';
import type { ServerAct } from './act.ts';
import { SERVER_LOGS, type ServerLogName } from './server-logs.ts';
import type { LogWindow, ReadLine } from './window.ts';

/** More different acts of one window than this are stated by their kind only: whoever invents names floods nothing. */
const MOST_ACTS = 200;
/** What stands in place of the objects that are not named. */
const MANY = '*';

/** Where lines come from. */
export interface LogOrigin {
  readonly log: ServerLogName;
  /** The machine: on two machines, logs may begin with the same line. */
  readonly host: string;
  readonly generation: string;
}

type Act = Pick<EventStatement, 'action' | 'object' | 'outcome' | 'code'> & Pick<ServerAct, 'details'>;

interface Fold {
  readonly act: Act;
  readonly first: ReadLine;
  last: ReadLine;
  times: number;
}

/**
 * The events of a window: equal acts are one, with how often (`times`) and the offsets of the first line's begin and the
 * last one's end. Log, file and these offsets are its identity, and its time is the first line's: lines that are read
 * again give the same event to the last byte.
 */
export function foldWindow({ lines }: LogWindow, origin: LogOrigin): readonly EventStatement[] {
  const folds = new Map<string, Fold>();
  for (const line of lines) {
    const act = actOf(line, origin.log);
    if (act === undefined) continue;
    const counted = folds.has(keyOf(act)) || folds.size < MOST_ACTS ? act : withoutNames(act);
    const key = keyOf(counted);
    const fold = folds.get(key);
    if (fold === undefined) {
      folds.set(key, { act: counted, first: line, last: line, times: 1 });
    } else {
      fold.last = line;
      fold.times += 1;
    }
  }
  const time = lines.find(({ entry }) => entry !== undefined)?.entry?.time;
  return [...folds.values()].map((fold) => statementOf(fold, origin, time));
}

function keyOf({ action, object, outcome, code = '', details }: Act): string {
  return JSON.stringify([action, object.type, object.id, outcome, code, details]);
}

function actOf({ entry }: ReadLine, log: ServerLogName): Act | undefined {
  const { meaning, otherLines } = SERVER_LOGS[log];
  const act = entry === undefined ? otherLines : meaning(entry);
  return act === 'none' ? undefined : act === 'unreadable' ? unreadable(log) : act;
}

/** That a line cannot be read; what it says stands in the log, where the event says. */
export function unreadable(log: ServerLogName): Act {
  return {
    action: 'recorder.gap',
    object: { type: 'log', id: log },
    ...{ outcome: 'failure', code: 'LINE_UNREADABLE' },
    details: {},
  };
}

function withoutNames({ object, details, ...act }: Act): Act {
  const { principal } = details;
  return { ...act, object: { type: object.type, id: MANY }, details: principal === undefined ? {} : { principal } };
}

function statementOf({ act, first, last, times }: Fold, origin: LogOrigin, time: number | undefined): EventStatement {
  const { log, host, generation } = origin;
  const [from, to] = [first.from, last.to];
  const when = first.entry?.time ?? time;
  return {
    ...act,
    counts: { times },
    details: { ...act.details, log, file: generation, from, to },
    time: when,
    // Without a time of the log's own, an event made again would be another.
    identity: when === undefined ? undefined : [host, log, generation, String(from), String(to)],
  };
}
