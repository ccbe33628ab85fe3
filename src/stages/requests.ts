import type { Container } from "@dagger.io/dagger";

import type { ToolRun } from "../core/check.js";
import { SCRIPTS, withProxy } from "./scripts.js";

const OUT = "/out/answers.json";

/** What `python/requests.py` runs: a command, or what `python/cluster.py` asks the API server. */
type Task = Request | ApiTask;

interface ApiTask extends Omit<Request, "args" | "input" | "secrets" | "then"> {
  readonly api: object;
  readonly namespace: string;
}

/** A command, as `python/requests.py` takes it. */
export interface Request {
  readonly args: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** Files whose contents become variables of its environment. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Seconds after which it is ended. */
  readonly limit: number;
  /** Left out when one before it failed. @default false */
  readonly needs?: boolean;
  /** What needs all before it is done also when this failed. @default false */
  readonly optional?: boolean;
  /** Repeated while it fails with an error of such a pattern (Python's), at most so many seconds. */
  readonly retry?: readonly { readonly seconds: number; readonly pattern: string }[];
  /** Wait, at most so many seconds, until the output has another SHA-256 than this. */
  readonly changed?: { readonly from: string; readonly seconds: number } | undefined;
  /** Wait, at most so many seconds, until the output has this pattern (Python's, by lines). */
  readonly until?: { readonly pattern: string; readonly seconds: number };
  /** Seconds between two tries. @default 0.5 */
  readonly every?: number;
  /** Runs after it, one at a time, until one of either fails; its answer is the answer. */
  readonly then?: Omit<Request, "then">;
}

/** How one command ended; undefined for one that was left out. */
export type Answer =
  | (Pick<ToolRun, "exitCode" | "stdout" | "stderr"> & {
      tries: number;
      /** Seconds for which it failed in a way that is repeated, before it was answered. */
      away?: number;
    })
  | undefined;

/** `after first`: the others side by side, and only when the first has not failed. */
export type Order = "in turn" | "at once" | "after first";

const FLAGS = {
  "in turn": [],
  "at once": ["--at-once"],
  "after first": ["--after-first"],
} as const satisfies Record<Order, readonly string[]>;

/**
 * Runs several commands in one execution, since to start a container takes longer than most of them.
 *
 * @param container One with a program in it (`withProgram`).
 * @param attempt Makes it an execution of its own, not a kept one.
 * @returns How each ended, in their order.
 * @throws ExecError when the execution itself did not work.
 */
export async function request(
  container: Container,
  requests: readonly Task[],
  order: Order,
  attempt: string,
): Promise<Answer[]> {
  const args = [...FLAGS[order], OUT];
  const answers = await container
    .withMountedTemp("/tmp")
    .withEnvVariable("SLIPWAY_ATTEMPT", attempt)
    .withExec(
      requests.some((each) => "api" in each)
        ? withProxy("requests", ...args)
        : ["python3", `${SCRIPTS}/requests.py`, ...args],
      { stdin: JSON.stringify(requests) },
    )
    .file(OUT)
    .contents();
  return (JSON.parse(answers) as (Answer | null)[]).map((answer) => answer ?? undefined);
}
