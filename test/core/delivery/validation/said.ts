import type { Said } from "../../../../src/core/delivery/validation/findings.js";

/** What kubectl answered when all went well: text, or JSON of a value. */
export function answered(value: unknown): Said {
  const stdout = typeof value === "string" ? value : JSON.stringify(value);
  return { exitCode: 0, stdout, stderr: "" };
}

/** What kubectl said when it failed. */
export function refused(stderr: string, stdout = ""): Said {
  return { exitCode: 1, stdout, stderr };
}

export const FORBIDDEN = refused(
  'Error from server (Forbidden): x is forbidden: User "ann" cannot get resource "x"',
);
export const AWAY = refused(
  "The connection to the server 198.19.20.82:1 was refused - did you specify the right host or port?\n",
);
