import { stat } from "node:fs/promises";
import { digestOf } from "../../graph/digest.js";
import { EngineError, ExecFailure } from "../../graph/errors.js";
import { NotRunError } from "../../plan.js";
import type { Call, Fields } from "../../session.js";
import type { Store } from "../../store/store.js";
import type { BlobRef, Snapshot } from "../../store/types.js";
import { newFile } from "../changes.js";
import { readContents } from "../file.js";
import { subtree } from "../inspect.js";
import { lazy } from "../lazy.js";
import { bindings } from "../services.js";
import { below, changeTree } from "../trees.js";
import type { Tree, SecretValue } from "../values.js";
import { prepare, type Prepared, type ExecArgs } from "./prepare.js";
import {
  containerPath,
  expand,
  locate,
  treeAt,
  type ContainerFiles,
  type ContainerValue,
  type ExecRecord,
} from "./value.js";

/** Of a command that failed, this much of each stream goes into the error. */
const MAX_ERROR_OUTPUT = 100 * 1024;

/** Whether an exit code is no error. Those from 128 to 191 tell of a signal: they always are one. */
function isExpected(exitCode: number, expect: ExecArgs["expect"]): boolean {
  if (exitCode >= 128 && exitCode <= 191) return false;
  return expect === "ANY" || (expect === "SUCCESS") === (exitCode === 0);
}

interface Outcome {
  readonly rootfs: Snapshot;
  readonly trees: readonly (readonly [string, Tree])[];
  readonly exec: ExecRecord;
}

/** The command line: the given arguments or the default ones, behind the entrypoint if wanted. */
function commandOf(self: ContainerValue, args: ExecArgs): string[] {
  const given = args.args.map((arg) => expand(self, arg, args.expand));
  const rest = given.length > 0 ? given : (self.config.Cmd ?? []);
  const command = args.useEntrypoint ? [...(self.config.Entrypoint ?? []), ...rest] : rest;
  if (command.length === 0) throw new EngineError("no command has been set");
  return command;
}

async function run(
  call: Call,
  self: ContainerValue,
  args: ExecArgs,
  signal: AbortSignal,
): Promise<ContainerFiles> {
  const { session } = call;
  const { store, events } = session.engine;
  const command = commandOf(self, args);
  if (args.experimentalPrivilegedNesting) {
    throw new EngineError(
      "Container.withExec: experimentalPrivilegedNesting is not implemented by the embedded engine; it works on Dagger's engine",
    );
  }
  const files = await self.files(signal);
  const prepared = await prepare(call, self, command, args, signal);
  try {
    const stdin = await stdinOf(call, self, files, args);
    const key = digestOf(
      prepared.identity,
      args.expect,
      stdin ? session.engine.secretIdentity(stdin) : "",
      [
        containerPath(self, args.redirectStdout, args.expand),
        containerPath(self, args.redirectStderr, args.expand),
      ],
    );
    const name = `exec ${command.join(" ")}`;
    const known = (await store.memo.get(`exec/${key}`)) as Outcome | undefined;
    if (known) events.cached(name);
    if (session.engine.options.plan) {
      if (!known) throw new NotRunError();
      events.emit({ event: "known", digest: call.node.digest });
    }
    const outcome =
      known ??
      ((await session.engine.execs.get(
        key,
        (own) =>
          session.engine.slots.run(own, () =>
            events.step(
              name,
              (output) => execute(call, self, files, prepared, { args, key, stdin, output }, own),
              own,
            ),
          ),
        signal,
      )) as Outcome);
    return { rootfs: outcome.rootfs, trees: new Map(outcome.trees), exec: outcome.exec };
  } finally {
    prepared.release();
  }
}

interface Execution {
  readonly args: ExecArgs;
  readonly key: string;
  readonly stdin: Buffer | undefined;
  readonly output: (stream: "stdout" | "stderr", chunk: Buffer) => void;
}

async function execute(
  call: Call,
  self: ContainerValue,
  files: ContainerFiles,
  prepared: Prepared,
  { args, key, stdin, output }: Execution,
  signal: AbortSignal,
): Promise<Outcome> {
  const { store, runner } = call.session.engine;
  const bound = await bindings(call, self.services, signal);
  try {
    const result = await runner.run(
      { ...prepared.spec, aliases: bound.aliases, ...(stdin && { stdin }) },
      {
        signal: AbortSignal.any([signal, bound.lost]),
        onOutput: output,
        secrets: prepared.secrets,
      },
    );
    const { exitCode, stdout, stderr, combined } = result;
    const record: ExecRecord = { exitCode, stdout, stderr, combined };
    const expected = isExpected(exitCode, args.expect);
    if (!expected) {
      await Promise.all([result.rootfs, ...result.mounts.values()].map((draft) => draft.discard()));
      // The end of a service that it needs is why it failed.
      bound.lost.throwIfAborted();
      throw await failure(store, prepared.spec.args, record);
    }
    const rootfs = await result.rootfs.commit(digestOf(key, "rootfs"));
    const trees: [string, Tree][] = [];
    for (const mount of self.mounts) {
      const tree = files.trees.get(mount.target);
      if (!tree) continue;
      const draft = result.mounts.get(mount.target);
      const keep = draft && mount.kind !== "cache" && mount.kind !== "temp" && !mount.readOnly;
      if (draft && !keep) await draft.discard();
      const snapshot = keep ? await draft.commit(digestOf(key, mount.target)) : tree.snapshot;
      trees.push([mount.target, { snapshot: await store.compact(snapshot), path: tree.path }]);
    }
    const outcome = await redirect(
      call,
      self,
      { rootfs: await store.compact(rootfs), trees, exec: record },
      args,
      signal,
    );
    await store.memo.set(`exec/${key}`, outcome, {
      layers: [outcome.rootfs, ...outcome.trees.map(([, tree]) => tree.snapshot)].flatMap(
        (snapshot) => snapshot.layers,
      ),
      blobs: [stdout.digest, stderr.digest, combined.digest],
    });
    return outcome;
  } finally {
    bound.release();
  }
}

async function stdinOf(
  call: Call,
  self: ContainerValue,
  files: ContainerFiles,
  args: ExecArgs,
): Promise<Buffer | undefined> {
  if (args.stdin !== "" && args.redirectStdin !== "") {
    throw new EngineError("cannot set both stdin and redirectStdin");
  }
  if (args.stdin !== "") return Buffer.from(args.stdin);
  if (args.redirectStdin === "") return undefined;
  const path = containerPath(self, args.redirectStdin, args.expand);
  const secret = self.secretMounts.find(({ target }) => target === path)?.secret;
  if (secret) {
    const value = await call.session.force<SecretValue>(secret, call.client, call.signal);
    return value.plaintext();
  }
  const at = locate(self, path);
  return readContents(call, await subtree(call, treeAt(files, at.mount), at.path, "file"));
}

/** Writes the streams to the files that redirectStdout and redirectStderr name. */
async function redirect(
  call: Call,
  self: ContainerValue,
  outcome: Outcome,
  args: ExecArgs,
  signal: AbortSignal,
): Promise<Outcome> {
  const { store } = call.session.engine;
  let { rootfs } = outcome;
  const trees = new Map(outcome.trees);
  for (const [target, blob] of [
    [args.redirectStdout, outcome.exec.stdout],
    [args.redirectStderr, outcome.exec.stderr],
  ] as const) {
    if (target === "") continue;
    const at = locate(self, containerPath(self, target, args.expand));
    const tree = treeAt({ rootfs, trees }, at.mount);
    const change = newFile(await store.blobs.read(blob.digest), {});
    const path = below(tree.path, at.path);
    const after = await changeTree(
      store,
      tree,
      ["redirect", path, blob.digest],
      (root) => change.apply(root, path),
      signal,
    );
    if (at.mount) trees.set(at.mount.target, after);
    else rootfs = after.snapshot;
  }
  return { ...outcome, rootfs, trees: [...trees] };
}

async function failure(
  store: Store,
  command: readonly string[],
  record: ExecRecord,
): Promise<ExecFailure> {
  const [stdout, stderr] = await Promise.all([
    tail(store, record.stdout),
    tail(store, record.stderr),
  ]);
  return new ExecFailure(command, record.exitCode, stdout.trim(), stderr.trim());
}

async function tail(store: Store, blob: BlobRef): Promise<string> {
  const omitted = Math.max(0, blob.size - MAX_ERROR_OUTPUT);
  const chunks: Buffer[] = [];
  for await (const chunk of store.blobs.open(blob.digest, {
    start: omitted,
  }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return omitted > 0 ? `[omitting ${omitted} bytes]...${text}` : text;
}

async function lastExec(self: ContainerValue, call: Call): Promise<ExecRecord> {
  const { exec } = await self.files(call.signal);
  if (!exec) throw new EngineError("no command has been set");
  return exec;
}

async function output(call: Call, blob: BlobRef): Promise<string> {
  const { store } = call.session.engine;
  const { size } = await stat(store.blobs.path(blob.digest));
  if (size > 0x1fffffe8) {
    throw new EngineError(
      `output of ${size} bytes is too large to be returned as a string; redirect it to a file instead`,
    );
  }
  return (await store.blobs.read(blob.digest)).toString("utf8");
}

export const execFields: Fields<ContainerValue> = {
  'withExec(args: [String!]!, useEntrypoint: Boolean = false, stdin: String = "", redirectStdin: String = "", redirectStdout: String = "", redirectStderr: String = "", expect: ReturnType = SUCCESS, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false, expand: Boolean = false, noInit: Boolean = false): Container!':
    (self, args: ExecArgs, call): ContainerValue => ({
      ...self,
      imageRef: "",
      files: lazy(call, (signal) => run(call, self, args, signal)),
    }),
  "stdout: String!": async (self, _args: object, call) =>
    output(call, (await lastExec(self, call)).stdout),
  "stderr: String!": async (self, _args: object, call) =>
    output(call, (await lastExec(self, call)).stderr),
  "combinedOutput: String!": async (self, _args: object, call) =>
    output(call, (await lastExec(self, call)).combined),
  "exitCode: Int!": async (self, _args: object, call) => (await lastExec(self, call)).exitCode,
  "sync: ID!": async (self, _args: object, call) => {
    await self.files(call.signal);
    return call.node.recipe.parent?.id;
  },
};
