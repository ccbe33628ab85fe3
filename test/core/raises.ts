import { SlipwayError, type ErrorCode } from "../../src/core/errors.js";

/** The message of the SlipwayError that an action throws; fails when it throws none or another one. */
export function raises(code: ErrorCode, action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SlipwayError && error.code === code) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}
