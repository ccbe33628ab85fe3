import { resolve } from "node:path";
import { usageError } from "../failure.js";
import type { Session } from "../session/open.js";
import type { Value } from "./values.js";

type Address = Extract<Value, { kind: "address" }>;

/**
 * Turns values into GraphQL text. Addresses are asked of the engine, all in one request, and
 * become IDs.
 *
 * @returns Text by value.
 */
export async function resolveValues(
  session: Session,
  values: readonly Value[],
): Promise<(value: Value) => string> {
  const addresses = values.flatMap(addressesIn);
  const ids = new Map<Value, string>();
  if (addresses.length > 0) {
    const fields = addresses.map((address, index) => `a${index}: ${selection(address)}`);
    const answer = await session.query<Record<string, unknown>>(`{ ${fields.join("\n")} }`);
    addresses.forEach((address, index) => ids.set(address, idIn(answer[`a${index}`])));
  }
  const text = (value: Value): string => {
    if (value.kind === "literal") return value.text;
    if (value.kind === "list") return `[${value.items.map(text).join(", ")}]`;
    return JSON.stringify(ids.get(value));
  };
  return text;
}

function addressesIn(value: Value): Address[] {
  if (value.kind === "list") return value.items.flatMap(addressesIn);
  return value.kind === "address" ? [value] : [];
}

/** The ID at the end of a chain of objects. */
function idIn(answer: unknown): string {
  let at = answer;
  while (typeof at === "object" && at !== null) at = Object.values(at)[0];
  return String(at);
}

/** GraphQL for the object at an address, up to its ID. Host paths are relative to this process. */
function selection({ type, address, ignore }: Address): string {
  const text = JSON.stringify;
  const remote = isRemote(address);
  switch (type) {
    case "Directory": {
      if (remote) return `address(value: ${text(address)}) { directory { id } }`;
      const exclude = ignore.length > 0 ? `, exclude: ${text(ignore)}` : "";
      return `host { directory(path: ${text(hostPath(address))}${exclude}) { id } }`;
    }
    case "File":
      if (remote) return `address(value: ${text(address)}) { file { id } }`;
      return `host { file(path: ${text(hostPath(address))}) { id } }`;
    case "Secret":
      return `secret(uri: ${text(secretUri(address))}) { id }`;
    case "Container":
      return `container { from(address: ${text(address)}) { id } }`;
    case "CacheVolume":
      return `cacheVolume(key: ${text(address)}) { id }`;
    case "Service":
      return service(address);
    case "Socket":
    case "GitRepository":
    case "GitRef":
      return `address(value: ${text(address)}) { ${type.charAt(0).toLowerCase()}${type.slice(1)} { id } }`;
    default:
      throw usageError(
        `a ${type} cannot be given on the command line; a Directory, File, Secret, Container, Service or CacheVolume can.`,
      );
  }
}

/** Whether a folder or a file is given by where it is in the network. */
export function isRemote(address: string): boolean {
  return /^(https?|ssh|git):\/\/|^git@|^github\.com\//.test(address);
}

/** The path of a folder or a file of this machine. */
export function hostPath(address: string): string {
  return resolve(address.replace(/^file:\/\//, ""));
}

function secretUri(address: string): string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(?:\/\/)?(.*)$/s.exec(address) ?? [];
  if (scheme === undefined || rest === undefined) {
    throw usageError(
      "a secret is given by where it is, never by its value: env://NAME, file://path or cmd://command.",
    );
  }
  const place = scheme === "file" && !rest.startsWith("~/") ? resolve(rest) : rest;
  return `${scheme}://${place}`;
}

function service(address: string): string {
  const [, protocol, host, port] = /^(tcp|udp):\/\/(.+):(\d+)$/.exec(address) ?? [];
  if (!protocol || !host || !port) {
    throw usageError(
      `${JSON.stringify(address)} is no address of a service: write it like tcp://localhost:5432.`,
    );
  }
  const forward = `{ backend: ${port}, frontend: ${port}, protocol: ${protocol.toUpperCase()} }`;
  return `host { service(host: ${JSON.stringify(host)}, ports: [${forward}]) { id } }`;
}
