import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";

import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from "undici";

import { isLoopback } from "./reference.js";

export type Answer = Dispatcher.ResponseData;

export interface HttpRequest {
  method?: "GET" | "HEAD" | "POST" | "PUT";
  headers?: Record<string, string>;
  /** Called for each attempt: a stream can be sent once only. */
  body?: () => Dispatcher.DispatchOptions["body"];
  signal?: AbortSignal | undefined;
}

const ATTEMPTS = 5;
const MAX_DELAY_MS = 20_000;
const MAX_REDIRECTS = 5;

/** HTTP with the machine's proxy and CA settings, retries of what may pass, and redirects. */
export class Http {
  readonly #direct = new Agent(timeouts());
  readonly #proxied = new EnvHttpProxyAgent(timeouts());

  constructor(private readonly delayMs: number) {}

  /** The answer, whatever its status; what is worth another try was tried again. */
  async send(url: URL, options: HttpRequest): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      let answer: Answer | undefined;
      let failure: unknown;
      try {
        answer = await this.#follow(url, options);
        if (!isTransient(answer.statusCode) || attempt === ATTEMPTS) return answer;
        await answer.body.dump();
      } catch (error) {
        options.signal?.throwIfAborted();
        if (attempt === ATTEMPTS) throw error;
        failure = error;
      }
      await this.pause(
        attempt,
        failure ? undefined : answer?.headers["retry-after"],
        options.signal,
      );
    }
  }

  /** Waits longer from attempt to attempt, or as long as the server asks for. */
  async pause(attempt: number, asked?: string | string[], signal?: AbortSignal): Promise<void> {
    const seconds = Number(asked);
    const own = this.delayMs * 2 ** (attempt - 1) * (1 + Math.random() / 4);
    const wait = Number.isFinite(seconds) ? Math.max(seconds * 1000, own) : own;
    await sleep(Math.min(wait, MAX_DELAY_MS), undefined, { ...(signal && { signal }) });
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#proxied.destroy()]);
  }

  async #follow(url: URL, options: HttpRequest): Promise<Answer> {
    let { headers = {} } = options;
    let at = url;
    for (let hop = 0; ; hop++) {
      const answer = await request(at, {
        method: options.method ?? "GET",
        headers,
        body: options.body?.() ?? null,
        dispatcher: isLoopback(at.host) ? this.#direct : this.#proxied,
        ...(options.signal && { signal: options.signal }),
      });
      const next = answer.headers.location;
      const moved = [301, 302, 303, 307, 308].includes(answer.statusCode);
      if (!moved || typeof next !== "string" || options.body || hop === MAX_REDIRECTS)
        return answer;
      await answer.body.dump();
      const target = new URL(next, at);
      // Credentials are for the registry, not for the storage that it points to.
      if (target.origin !== at.origin) {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([key]) => key !== "authorization"),
        );
      }
      at = target;
    }
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

function timeouts(): { headersTimeout: number; bodyTimeout: number; connect: object } {
  const extra = process.env.SSL_CERT_FILE;
  const ca = extra ? { ca: [...rootCertificates, readFileSync(extra, "utf8")] } : {};
  return { headersTimeout: 60_000, bodyTimeout: 60_000, connect: { timeout: 15_000, ...ca } };
}
