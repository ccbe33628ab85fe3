import * as z from "zod";
import { SlipwayError } from "../errors.js";
import { readRegistered } from "./registry.js";

/** An alias, and the version that it shall point at. */
export interface AliasMove {
  readonly name: string;
  readonly alias: string;
  readonly version: string;
}

/** How the move went. */
export interface Moved {
  /** The version that it pointed at; absent when there was no such alias. */
  readonly before?: string;
  /** Whether it was changed: not when it was there already. */
  readonly moved: boolean;
}

const answer = z.union([
  z.object({ status: z.literal(0), error: z.string() }),
  z.object({ status: z.number(), body: z.unknown() }),
]);

const result = z.object({ before: z.string().nullable(), moved: z.boolean(), answer });

/**
 * Reads what `model_registry.py` left of a move.
 *
 * @throws SlipwayError MODEL when the registry did not do it.
 */
export function readMove({ name, alias, version }: AliasMove, left: unknown): Moved {
  const { before, moved, answer: last } = result.parse(left);
  const said = readRegistered(last);
  const refused = last.status !== 200 && !said.ok ? said.why : undefined;
  if (refused !== undefined || (before !== version && !moved))
    throw new SlipwayError(
      "MODEL",
      `The alias ${alias} of the model ${name} does not move to version ${version}: ${refused ?? "it points elsewhere afterwards; does somebody else move it"}. It pointed at ${before ?? "nothing"}; the deployment does not depend on it.`,
    );
  return { moved, ...(before !== null && { before }) };
}
