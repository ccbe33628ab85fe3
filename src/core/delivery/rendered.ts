import { SlipwayError } from "../errors.js";
import type { KubernetesObject } from "./objects/types.js";

/**
 * The objects that kubectl printed as JSON, one after another.
 *
 * @throws SlipwayError CONFIG for what has no name to be found by again.
 */
export function readRendered(text: string): KubernetesObject[] {
  return documents(text).map((document) => {
    const object = JSON.parse(document) as Partial<KubernetesObject>;
    const { apiVersion, kind, metadata } = object;
    const name: unknown = metadata?.name;
    if (apiVersion !== undefined && kind !== undefined && typeof name === "string" && name !== "")
      return object as KubernetesObject;
    throw new SlipwayError(
      "CONFIG",
      `An object of the project's manifests (${kind ?? "of no kind"}) has no metadata.name, by which it would be found again; generateName cannot be deployed.`,
    );
  });
}

/** The JSON texts that kubectl printed one after another. */
export function documents(text: string): string[] {
  // kubectl indents: only an object's own braces stand at the beginning of a line.
  return text.split(/^(?=\{)/m).filter((part) => part.trim() !== "");
}
