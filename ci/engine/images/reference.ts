import { ImageError } from "./failure.js";
import type { ImageRef } from "./types.js";

const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Takes an image reference apart, with the defaults that everybody uses: `docker.io`, `library/`
 * and `latest`.
 *
 * @throws ImageError that names the wrong part.
 */
export function parseRef(ref: string): ImageRef {
  const [named = "", digest, ...more] = ref.split("@");
  if (more.length > 0) throw wrong(ref, "has more than one @");
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw wrong(ref, "has a digest that is not sha256: and 64 hexadecimal digits");
  }
  // A colon after the last slash starts a tag; before it, a port.
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const given = colon < 0 ? undefined : named.slice(colon + 1);
  if (given !== undefined && !TAG.test(given)) {
    throw wrong(ref, "has a tag that is not 1 to 128 letters, digits, '_', '.' or '-'");
  }
  const { registry, repository } = split(name);
  if (!HOST.test(registry))
    throw wrong(ref, `has the registry "${registry}", which is no host name`);
  if (!PATH.test(repository) || repository.length > 255) {
    const hint = repository === repository.toLowerCase() ? "" : " (it must be lower case)";
    throw wrong(ref, `has the repository "${repository}", which is not a valid name${hint}`);
  }
  const tag = given ?? (digest === undefined ? "latest" : undefined);
  const canonical = `${registry}/${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
  return { registry, repository, ...(tag && { tag }), ...(digest && { digest }), canonical };
}

/** Whether a registry host is this machine, where plain http is used. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
}

function split(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const registry = isHost ? first : "docker.io";
  const repository = isHost ? name.slice(slash + 1) : name;
  if (registry !== "docker.io" && registry !== "index.docker.io") return { registry, repository };
  const official = repository.includes("/") ? repository : `library/${repository}`;
  return { registry: "docker.io", repository: official };
}

function wrong(ref: string, what: string): ImageError {
  return new ImageError(
    `The image reference "${ref}" ${what}. Expected: [registry/]name[:tag][@sha256:...]`,
  );
}
