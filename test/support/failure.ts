import { WardlineError } from '../../core/errors/errors.ts';

/** The code with which `work` fails, or what happened instead. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'no error';
  } catch (error) {
    return error instanceof WardlineError ? error.code : `not a WardlineError: ${String(error)}`;
  }
}

/** As `codeOf`, for what fails later. */
export async function codeOfAsync(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'no error';
  } catch (error) {
    return error instanceof WardlineError ? error.code : `not a WardlineError: ${String(error)}`;
  }
}
