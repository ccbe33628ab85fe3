import type { Client, Container, ExecError, Module_ } from "@dagger.io/dagger";

/** The image that nearly every case runs: a shell and the usual applets, one small layer. */
export const BUSYBOX = "busybox:stable";

/** What a case gets besides the API client. */
export interface Tools {
  /** An empty folder on this host, removed when the case ends. */
  readonly dir: string;
  /** A name nothing else uses, in this run or an earlier one: [a-z0-9-] only. */
  unique(prefix?: string): string;
  /** A container from {@link BUSYBOX}. */
  base(): Container;
  /** {@link base} after `sh -ec script`. */
  sh(script: string): Container;
  /** {@link base} with a variable that no earlier run had: what follows is not in any cache. */
  fresh(): Container;
  /** Fails unless `act` rejects with a message that matches; returns the error. */
  expectError(act: () => Promise<unknown>, pattern: RegExp): Promise<Error>;
  /** Fails unless `act` rejects with an ExecError of that exit code; returns the error. */
  expectExecError(act: () => Promise<unknown>, exitCode: number): Promise<ExecError>;
  /** A GraphQL document sent to the same session; rejects with a QueryError. */
  query<T>(document: string, variables?: Record<string, unknown>, signal?: AbortSignal): Promise<T>;
  /** Calls `attempt` until it gives true, or fails after 20 s, saying `what` did not happen. */
  eventually(what: string, attempt: () => Promise<boolean>): Promise<void>;
  /** Where to push, `host:port/`…: fails with what to do when no registry was given. */
  repository(): string;
  /** The fixture module, loaded and served once for all cases. */
  module(): Promise<Module_>;
}

type Run = (dag: Client, t: Tools) => Promise<void>;

/** What has to be there before a case can run. */
export interface Needs {
  /** A loopback registry that the engine reaches too. */
  readonly registry?: boolean;
  /** The fixture module, served. */
  readonly module?: boolean;
}

/** One behaviour of the API: passes when `run` resolves. */
export interface Case {
  /** `topic/behaviour`. */
  readonly name: string;
  readonly needs: Needs;
  readonly run: Run;
}

/** The cases of one topic; the keys say the behaviours. */
export function topic(name: string, cases: Record<string, Run>, needs: Needs = {}): Case[] {
  return Object.entries(cases).map(([behaviour, run]) => ({
    name: `${name}/${behaviour}`,
    needs,
    run,
  }));
}
