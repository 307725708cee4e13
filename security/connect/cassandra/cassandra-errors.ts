import { errors, types } from 'cassandra-driver';
import { WardlineError, type ErrorCode } from '../../../core/errors/errors.ts';
import { isTlsRefusal } from '../tls-refusals.ts';

const { responseErrorCodes: codes } = types;

/** What a server's answer means (native protocol v5 section 9). An answer that is not listed is a mistake of ours: INTERNAL. */
const BY_RESPONSE: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [codes.badCredentials, 'CASSANDRA_REFUSED'],
  [codes.unauthorized, 'CASSANDRA_REFUSED'],
  [codes.serverError, 'CASSANDRA_UNREACHABLE'],
  [codes.unavailableException, 'CASSANDRA_UNREACHABLE'],
  [codes.overloaded, 'CASSANDRA_UNREACHABLE'],
  [codes.isBootstrapping, 'CASSANDRA_UNREACHABLE'],
  [codes.truncateError, 'CASSANDRA_UNREACHABLE'],
  [codes.writeTimeout, 'CASSANDRA_UNREACHABLE'],
  [codes.readTimeout, 'CASSANDRA_UNREACHABLE'],
  [codes.readFailure, 'CASSANDRA_UNREACHABLE'],
  [codes.writeFailure, 'CASSANDRA_UNREACHABLE'],
]);

/** Answers whose text repeats parts of the statement, which may hold values. */
const REPEATS_STATEMENT: ReadonlySet<number> = new Set([codes.syntaxError, codes.invalid]);

const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  CASSANDRA_REFUSED:
    'check the principal and its certificate (wardline certs verify) and what the table of principals grants it',
  CASSANDRA_UNREACHABLE: 'see whether the servers run: wardline status',
};

/**
 * What Cassandra or its driver threw, as an error with a code: CASSANDRA_REFUSED where the server or a certificate says
 * no, CASSANDRA_UNREACHABLE for whatever waiting may mend, INTERNAL for the rest. The message never repeats a statement.
 * An error that already has a code of ours, alone or within, is returned as it is.
 */
export function asCassandraError(thrown: unknown): WardlineError {
  const inner = innermost(thrown);
  if (inner instanceof WardlineError) return inner;
  const code = codeOf(inner);
  return new WardlineError(code, `Cassandra: ${messageOf(inner)}`, { hint: HINTS[code], cause: thrown });
}

/** How a node begins to say that it could not find out whether somebody may, as too few of those that know are there. */
const CANNOT_TELL = /^Unable to perform auth(entication|orization)/;

function codeOf(error: unknown): ErrorCode {
  if (error instanceof Error && CANNOT_TELL.test(error.message)) return 'CASSANDRA_UNREACHABLE';
  if (error instanceof errors.ResponseError) return BY_RESPONSE.get(error.code) ?? 'INTERNAL';
  if (error instanceof errors.AuthenticationError) return 'CASSANDRA_REFUSED';
  if (isTlsRefusal(systemCode(error))) return 'CASSANDRA_REFUSED';
  const waitingMayMend =
    error instanceof errors.NoHostAvailableError ||
    error instanceof errors.OperationTimedOutError ||
    error instanceof errors.BusyConnectionError ||
    isSocketError(error) ||
    systemCode(error) !== undefined;
  return waitingMayMend ? 'CASSANDRA_UNREACHABLE' : 'INTERNAL';
}

/** The code of a failed system call or socket, such as ECONNREFUSED. */
function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The driver's own error for a connection that broke while a request was under way; it bears no system code. */
function isSocketError(error: unknown): boolean {
  return error instanceof Error && 'isSocketError' in error && error.isSocketError === true;
}

function messageOf(error: unknown): string {
  if (error instanceof errors.ResponseError && REPEATS_STATEMENT.has(error.code))
    return `the statement is not valid (code 0x${error.code.toString(16)})`;
  // The driver's own text shows inner errors with their stacks.
  if (error instanceof errors.NoHostAvailableError) return 'no host can be reached';
  return error instanceof Error ? error.message : String(error);
}

/** Where no host answered, what the hosts said: a refusal first, since that is what the others hide. */
function innermost(thrown: unknown): unknown {
  if (!(thrown instanceof errors.NoHostAvailableError)) return thrown;
  const answers: readonly unknown[] = Object.values(thrown.innerErrors as Readonly<Record<string, unknown>>);
  return (
    answers.find((answer) => answer instanceof WardlineError || codeOf(answer) === 'CASSANDRA_REFUSED') ??
    answers.find((answer) => codeOf(answer) === 'CASSANDRA_UNREACHABLE') ??
    thrown
  );
}
