import { Agent, request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const FAILURES_KEPT = 50;

/** What is sent, and how much of it. */
export interface TrafficOptions {
  /** Where to, with the path. */
  readonly url: string;
  /** Host header. @default the URL's */
  readonly host?: string;
  /** Connections that are kept, each with one request at a time. @default 4 */
  readonly connections?: number;
  /** Milliseconds between an answer and the next request of its connection. @default 0 */
  readonly pause?: number;
  /** @default GET, or POST with a body */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Milliseconds after which a request counts as failed. @default 10,000 */
  readonly timeout?: number;
  /** Header of the answer that says which release it is from. @default x-release */
  readonly releaseHeader?: string;
}

/** A request without an answer, or with one of 500 and above. */
export interface Failure {
  /** When it ended, ISO 8601. */
  readonly at: string;
  /** Milliseconds from sending it. */
  readonly after: number;
  /** Absent when there was no answer. */
  readonly status?: number;
  /** Release that gave the answer; absent when none did, as when the gateway answers itself. */
  readonly release?: string;
  /** The error, or the beginning of the answer. */
  readonly message: string;
}

/** What came of it so far. */
export interface TrafficCounts {
  requests: number;
  /** Answers by status. */
  status: Record<string, number>;
  /** Answers by release, errors among them. */
  releases: Record<string, number>;
  /** Failures by the release that answered; `none` for those without an answer or a release. */
  failed: Record<string, number>;
  /** Requests without an answer, among the failed. */
  connectionErrors: number;
  /** The first ones. */
  failures: Failure[];
}

/** A client that sends requests until it is stopped. It never sends one again. */
export interface Traffic {
  readonly counts: TrafficCounts;
  /** Counts from here on; gives what was counted before. */
  readonly restart: () => TrafficCounts;
  /** Stops after the requests under way. */
  readonly stop: () => Promise<TrafficCounts>;
}

/** Starts to send requests. */
export function startTraffic(options: TrafficOptions): Traffic {
  const { connections = 4, pause = 0 } = options;
  let counts = empty();
  let stopped = false;
  const work = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      count(counts, await send(options, agent));
      if (pause > 0) await sleep(pause);
    }
    agent.destroy();
  };
  const workers = Promise.all(Array.from({ length: connections }, work));
  return {
    get counts() {
      return counts;
    },
    restart: () => {
      const before = counts;
      counts = empty();
      return before;
    },
    stop: async () => {
      stopped = true;
      await workers;
      return counts;
    },
  };
}

/** Failures of all kinds. */
export function failuresOf(counts: TrafficCounts): number {
  return Object.values(counts.failed).reduce((sum, each) => sum + each, 0);
}

interface Answer {
  after: number;
  status?: number;
  release?: string;
  message: string;
}

async function send(options: TrafficOptions, agent: Agent): Promise<Answer> {
  const { url, host, body, headers = {}, timeout = 10_000, releaseHeader = "x-release" } = options;
  const method = options.method ?? (body === undefined ? "GET" : "POST");
  const text = body === undefined ? undefined : JSON.stringify(body);
  const began = performance.now();
  const after = (): number => Math.round(performance.now() - began);
  return await new Promise((resolve) => {
    const sent = request(url, {
      agent,
      method,
      headers: {
        ...(host !== undefined && { host }),
        ...(text !== undefined && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
        }),
        ...headers,
      },
    });
    const limit = setTimeout(() => {
      sent.destroy(new Error(`no answer for ${timeout} ms`));
    }, timeout);
    const fail = (error: Error & { code?: string }): void => {
      clearTimeout(limit);
      resolve({ after: after(), message: error.code ?? error.message });
    };
    sent.once("error", fail);
    sent.once("response", (response: IncomingMessage) => {
      let said = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (said.length < 300) said += chunk;
      });
      // An answer that breaks off is none.
      response.once("error", fail);
      response.once("end", () => {
        clearTimeout(limit);
        const release = response.headers[releaseHeader];
        resolve({
          after: after(),
          status: response.statusCode ?? 0,
          ...(typeof release === "string" && { release }),
          message: said.slice(0, 300),
        });
      });
    });
    sent.end(text);
  });
}

function count(counts: TrafficCounts, answer: Answer): void {
  const { status, release } = answer;
  const add = (table: Record<string, number>, key: string): void => {
    table[key] = (table[key] ?? 0) + 1;
  };
  counts.requests += 1;
  if (status === undefined) counts.connectionErrors += 1;
  else add(counts.status, String(status));
  if (release !== undefined) add(counts.releases, release);
  if (status !== undefined && status < 500) return;
  add(counts.failed, release ?? "none");
  if (counts.failures.length < FAILURES_KEPT)
    counts.failures.push({ at: new Date().toISOString(), ...answer });
}

function empty(): TrafficCounts {
  return {
    requests: 0,
    status: {},
    releases: {},
    failed: {},
    connectionErrors: 0,
    failures: [],
  };
}
