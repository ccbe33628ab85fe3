import { createHash } from "node:crypto";

import { authorize } from "./auth.js";
import { ImageError } from "./failure.js";
import { Http, type Answer, type HttpRequest } from "./http.js";
import { isLoopback, parseRef } from "./reference.js";
import type { Repository, ImageRef, RegistryOptions } from "./types.js";

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const MAX_MANIFEST = 8 << 20;
const CUTS = 4;

/** Speaks the OCI distribution protocol to any number of registries. */
export class RegistryClient {
  readonly #http: Http;
  readonly #tokens = new Map<string, Promise<string>>();

  constructor(private readonly options: RegistryOptions & { retryDelayMs?: number } = {}) {
    this.#http = new Http(options.retryDelayMs ?? 400);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** Where `ref` is read from: the mirror that stands in for it, or its registry. */
  source(ref: ImageRef): Repository {
    const name = `${ref.registry}/${ref.repository}`;
    const [key, mirror] =
      Object.entries(this.options.mirrors ?? {})
        .filter(([prefix]) => name === prefix || name.startsWith(`${prefix}/`))
        .sort(([a], [b]) => b.length - a.length)[0] ?? [];
    if (key === undefined || mirror === undefined) return this.target(ref, "pull");
    const url = mirrorUrl(mirror);
    const path = [...url.pathname.split("/"), ...name.slice(key.length).split("/")];
    const repository = path.filter((part) => part !== "").join("/");
    const base = new URL(`/v2/${repository}/`, url);
    return { base, host: url.host, actions: "pull", shown: `${name} (mirror ${url.host})` };
  }

  /** Where `ref` is written to: always its registry. */
  target(ref: ImageRef, actions: Repository["actions"] = "pull,push"): Repository {
    const host = ref.registry === "docker.io" ? "registry-1.docker.io" : ref.registry;
    const base = new URL(`${scheme(host)}://${host}/v2/${ref.repository}/`);
    return { base, host: ref.registry, actions, shown: `${ref.registry}/${ref.repository}` };
  }

  /** Digest of what `ref` names now, undefined if there is no such image. */
  async digestOf(ref: string, signal?: AbortSignal): Promise<string | undefined> {
    const parsed = parseRef(ref);
    return (
      await this.manifest(this.target(parsed, "pull"), parsed.digest ?? parsed.tag ?? "latest", {
        signal,
        optional: true,
      })
    )?.digest;
  }

  /** A manifest or index with its digest, checked when it is asked for by digest. */
  async manifest(
    repository: Repository,
    reference: string,
    options: { signal?: AbortSignal | undefined; optional?: boolean } = {},
  ): Promise<{ digest: string; mediaType: string; body: Buffer } | undefined> {
    const headers = { accept: MANIFESTS };
    const signal = options.signal;
    const answer = await this.send(repository, `manifests/${reference}`, { headers, signal });
    if (answer.statusCode === 404 && options.optional) {
      await answer.body.dump();
      return undefined;
    }
    await this.expect(answer, [200], repository, `the manifest ${reference}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_MANIFEST) {
        throw new ImageError(`The manifest ${reference} of ${repository.shown} is over 8 MiB`);
      }
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    if (reference.startsWith("sha256:") && digest !== reference) {
      throw new ImageError(
        `${repository.shown} answered with a manifest of digest ${digest} instead of ${reference}: the registry or something on the way changed it. Nothing was kept.`,
      );
    }
    const type = answer.headers["content-type"];
    return { digest, mediaType: typeof type === "string" ? type : "", body };
  }

  /** A blob's bytes; goes on where it was cut off. The caller checks the digest. */
  async *blob(
    repository: Repository,
    digest: string,
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer> {
    let got = 0;
    for (let attempt = 1; ; attempt++) {
      const headers: Record<string, string> = got > 0 ? { range: `bytes=${got}-` } : {};
      const answer = await this.send(repository, `blobs/${digest}`, { headers, signal });
      await this.expect(answer, got > 0 ? [200, 206] : [200], repository, `the blob ${digest}`);
      let skip = answer.statusCode === 206 ? 0 : got;
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const part = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - part.length;
          got += part.length;
          if (part.length > 0) yield part;
        }
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt === CUTS) {
          throw new ImageError(
            `${repository.shown} cut off the blob ${digest} after ${got} bytes, ${CUTS} times. Try again later, or from another mirror.`,
            undefined,
            { cause: error },
          );
        }
        await this.#http.pause(attempt, undefined, signal);
      }
    }
  }

  /** Sends one request to a repository, with a token when it asks for one. */
  async send(repository: Repository, path: string | URL, options: HttpRequest): Promise<Answer> {
    const url = new URL(path, repository.base);
    const key = `${repository.base.href} ${repository.actions}`;
    const once = async (): Promise<Answer> => {
      const authorization = await this.#tokens.get(key);
      const headers = { ...options.headers, ...(authorization && { authorization }) };
      return this.#http.send(url, { ...options, headers });
    };
    try {
      const answer = await once();
      const challenge = answer.headers["www-authenticate"];
      if (answer.statusCode !== 401 || challenge === undefined) return answer;
      await answer.body.dump();
      const token = authorize(
        this.#http,
        repository,
        challenge,
        this.options.credentials,
        options.signal,
      );
      token.catch(() => this.#tokens.delete(key));
      this.#tokens.set(key, token);
      return await once();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof ImageError) throw error;
      const why = error instanceof Error ? error.message || error.name : String(error);
      throw new ImageError(
        `The registry of ${repository.shown} cannot be reached at ${repository.base.origin}: ${why}. Check the network, the proxy settings, or name a mirror.`,
        undefined,
        { cause: error },
      );
    }
  }

  /** Turns any other status into an error with the registry's own words. */
  async expect(
    answer: Answer,
    wanted: readonly number[],
    repository: Repository,
    what: string,
  ): Promise<void> {
    if (wanted.includes(answer.statusCode)) return;
    const said = await words(answer);
    const { statusCode: status } = answer;
    const hint =
      status === 401 || status === 403
        ? ` Give credentials for ${repository.host} that allow ${repository.actions} (withRegistryAuth).`
        : status === 429
          ? " Wait, log in, or name a mirror."
          : status === 404
            ? " Check the name, the tag and the platform."
            : "";
    throw new ImageError(
      `${repository.shown} answered ${status} for ${what}${said ? `: ${said}` : ""}.${hint}`,
      status,
    );
  }
}

async function words(answer: Answer): Promise<string> {
  const text = (await answer.body.text().catch(() => "")).slice(0, 2000);
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] };
    return (errors ?? []).map(({ code, message }) => message ?? code ?? "").join("; ");
  } catch {
    return text.trim().slice(0, 200);
  }
}

/** The address of a mirror, which may be given without `https://`. */
export function mirrorUrl(mirror: string): URL {
  return new URL(/^https?:/.test(mirror) ? mirror : `${scheme(mirror)}://${mirror}`);
}

function scheme(host: string): "http" | "https" {
  return isLoopback(host.split("/")[0] ?? host) ? "http" : "https";
}
