// What the registry's helper does when the server misbehaves: a stand-in that answers as told.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import type { Answer, RegistryFacts } from "../../src/core/model/types.js";

const HELPER = fileURLToPath(new URL("../../src/stages/python/model_registry.py", import.meta.url));

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

type Reply = (asked: Asked) => [status: number, body: unknown, headers?: Record<string, string>];

/** A server on loopback, and what it was asked. */
class StandIn {
  readonly asked: Asked[] = [];
  private readonly server: Server;

  constructor(reply: Reply) {
    this.server = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const body = request.method === "GET" ? undefined : await json(request);
        const asked = {
          ...{ path: request.url ?? "", method: request.method ?? "", headers: request.headers },
          body,
        };
        this.asked.push(asked);
        const [status, told, headers = {}] = reply(asked);
        response.writeHead(status, headers);
        response.end(typeof told === "string" ? told : JSON.stringify(told));
      };
      void answer();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((ready) => this.server.listen(0, "127.0.0.1", ready));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const folder = mkdtempSync(join(tmpdir(), "slipway-model-"));
const test = suite("model_registry.py");
test.after(() => {
  rmSync(folder, { recursive: true });
});

async function helper<T>(request: object, env: Record<string, string> = {}): Promise<T> {
  const file = join(folder, "request.json");
  writeFileSync(file, JSON.stringify({ host: null, patience: 0, ...request }));
  const child = spawn("python3", [HELPER, file], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.is(await closed, 0, errors);
  return JSON.parse(out) as T;
}

const ASK = { facts: { name: "iris", versions: ["7"], aliases: [], stages: [] } };
const READY: Reply = () => [200, {}];

async function registered(
  reply: Reply,
  request: object = {},
  env: Record<string, string> = {},
): Promise<[Answer, StandIn]> {
  const server = new StandIn(reply);
  const base = await server.listen();
  try {
    const facts = await helper<RegistryFacts>({ base, ...ASK, ...request }, env);
    return [facts.registered, server];
  } finally {
    server.stop();
  }
}

test("hands_on_what_a_server_with_a_fault_says", async () => {
  assert.equal((await registered(() => [500, { error_code: "INTERNAL_ERROR" }]))[0], {
    ...{ status: 500, body: { error_code: "INTERNAL_ERROR" } },
  });
  assert.equal((await registered(() => [200, "<html>"]))[0], { status: 200, body: "<html>" });
});

test("gives_nan_and_infinities_as_text", async () => {
  const [answer] = await registered(() => [200, '{"a": NaN, "b": -Infinity, "c": 0.5}']);
  assert.equal(answer, { status: 200, body: { a: "NaN", b: "-Infinity", c: 0.5 } });
});

test("repeats_a_request_while_there_is_patience_and_no_longer", async () => {
  let tries = 0;
  const [answer] = await registered(() => (++tries < 3 ? [503, "later"] : [200, {}]), {
    patience: 10,
  });
  assert.is(answer.status, 200);
  const [never, server] = await registered(() => [503, "later"]);
  assert.is(never.status, 503);
  assert.is(server.asked.filter(({ path }) => path.includes("registered-models")).length, 1);
});

test("repeats_nothing_that_was_refused", async () => {
  const [answer, server] = await registered(() => [403, "no"], { patience: 10 });
  assert.is(answer.status, 403);
  assert.is(server.asked.length, 2, "the model, and the version that was named");
});

test("says_why_when_nobody_answers", async () => {
  const server = new StandIn(READY);
  const base = await server.listen();
  server.stop();
  const { registered: answer } = await helper<RegistryFacts>({ base, ...ASK });
  assert.is(answer.status, 0);
  assert.match("error" in answer ? answer.error : "", /refused/);
  const { registered: nowhere } = await helper<RegistryFacts>({
    ...{ base: "http://models.invalid", ...ASK },
  });
  assert.is(nowhere.status, 0);
});

test("goes_nowhere_else_with_the_credentials", async () => {
  const other = new StandIn(READY);
  const target = await other.listen();
  const [answer] = await registered(
    () => [302, "", { location: `${target}/login` }],
    {},
    { MLFLOW_TRACKING_TOKEN: "canary" },
  );
  other.stop();
  assert.equal(answer, { status: 302, body: `it leads to ${target}/login` });
  assert.equal(other.asked, []);
});

test("shows_a_token_or_a_user_and_password_and_the_servers_own_name", async () => {
  const shown = async (env: Record<string, string>): Promise<string | undefined> =>
    (await registered(READY, {}, env))[1].asked[0]?.headers.authorization;
  const basic = `Basic ${Buffer.from("ann:s3:cret").toString("base64")}`;
  assert.is(await shown({}), undefined);
  assert.is(await shown({ MLFLOW_TRACKING_TOKEN: "abc" }), "Bearer abc");
  assert.is(await shown({ MLFLOW_TRACKING_TOKEN: "ann:s3:cret" }), basic);
  const pair = { MLFLOW_TRACKING_USERNAME: "ann", MLFLOW_TRACKING_PASSWORD: "s3:cret" };
  assert.is(await shown(pair), basic);
  const [, server] = await registered(READY, { host: "127.0.0.1:5000" });
  assert.is(server.asked[0]?.headers.host, "127.0.0.1:5000");
});

interface Move {
  readonly before: string | null;
  readonly moved: boolean;
  readonly answer: Answer;
}

/** Moves an alias at a registry with one, that takes every move or only says that it does. */
async function move(at: string | undefined, takes = true): Promise<[Move, Asked[]]> {
  let now = at;
  const server = new StandIn(({ method, body }) => {
    if (method !== "GET" && takes) now = (body as { version: string }).version;
    const aliases = now === undefined ? [] : [{ alias: "champion", version: now }];
    return [200, { registered_model: { name: "iris", aliases } }];
  });
  const base = await server.listen();
  const alias = { name: "iris", alias: "champion", version: "7" };
  const result = await helper<Move>({ base, alias });
  server.stop();
  return [result, server.asked.filter(({ method }) => method !== "GET")];
}

test("moves_an_alias_and_looks_whether_it_is_there", async () => {
  for (const before of ["6", undefined]) {
    const [moved, asked] = await move(before);
    assert.equal([moved.before, moved.moved], [before ?? null, true]);
    assert.equal(
      asked.map(({ method, body }) => [method, body]),
      [["POST", { name: "iris", alias: "champion", version: "7" }]],
    );
  }
  const [lost] = await move("6", false);
  assert.is(lost.moved, false);
});

test("leaves_an_alias_that_is_there_already", async () => {
  const [left, asked] = await move("7");
  assert.equal([left.before, left.moved], ["7", false]);
  assert.equal(asked, []);
});

test("says_why_an_artifact_has_no_digest", async () => {
  const problem = async (reply: Reply, limit = 10): Promise<string> => {
    const server = new StandIn(reply);
    const base = await server.listen();
    const request = { base, digest: { name: "iris", version: "7", limit } };
    const found = await helper<{ digest?: string; problem?: string }>(request);
    server.stop();
    assert.is(found.digest, undefined);
    return found.problem ?? "";
  };
  const at =
    (uri: string): Reply =>
    () => [200, { artifact_uri: uri }];
  assert.match(
    await problem(at("s3://bucket/model?X-Amz-Signature=canary")),
    /at s3:\/\/bucket\/model$/,
  );
  assert.match(await problem(() => [500, ""]), "no known place");
  const listing =
    (files: unknown): Reply =>
    ({ path }) =>
      path.includes("download-uri")
        ? [200, { artifact_uri: "mlflow-artifacts:/0/a" }]
        : path.includes("?path=")
          ? [200, { files }]
          : [200, "twelve bytes"];
  assert.match(await problem(listing([])), "no files");
  const file = { path: "a", is_dir: false };
  assert.match(await problem(listing([{ ...file, file_size: 11 }])), "larger than");
  assert.match(await problem(listing([{ ...file, file_size: 1 }])), "larger than", "it lied");
});

/** The digest of an artifact of one file, whose downloads are answered in turn. */
async function downloaded(
  file_size: number | undefined,
  replies: readonly ReturnType<Reply>[],
  patience = 0,
): Promise<{ digest?: string; problem?: string; asked: number }> {
  let downloads = 0;
  const server = new StandIn(({ path }) => {
    if (path.includes("download-uri")) return [200, { artifact_uri: "mlflow-artifacts:/0/a" }];
    if (path.includes("?path="))
      return [200, { files: [{ path: "model.pkl", is_dir: false, file_size }] }];
    return replies[downloads++] ?? [404, "no"];
  });
  const base = await server.listen();
  const digest = { name: "iris", version: "7", limit: 100 };
  const found = await helper<{ digest?: string; problem?: string }>({ base, patience, digest });
  server.stop();
  return { ...found, asked: downloads };
}

const CUT: ReturnType<Reply> = [200, "twelve", { "content-length": "12" }];
const WHOLE: ReturnType<Reply> = [200, "twelve bytes"];

test("gives_no_digest_of_a_download_that_broke_off", async () => {
  for (const size of [12, undefined]) {
    const found = await downloaded(size, [CUT]);
    assert.is(found.digest, undefined);
    assert.is(
      found.problem,
      "the download broke off: 6 bytes of 0/a/model.pkl came, not 12",
      String(size),
    );
  }
  // Whoever passes it on may say a length of its own.
  assert.match((await downloaded(12, [[200, "twelve"]])).problem ?? "", "6 bytes of");
  assert.is((await downloaded(12, [WHOLE])).problem, undefined);
  assert.is((await downloaded(undefined, [WHOLE])).problem, undefined);
});

test("downloads_anew_what_broke_off_while_there_is_patience_and_nothing_refused", async () => {
  const [whole, again] = [
    await downloaded(12, [WHOLE]),
    await downloaded(12, [CUT, [503, "later"], WHOLE], 10),
  ];
  assert.is(again.digest, whole.digest);
  assert.is(again.asked, 3);
  const refused = await downloaded(12, [[403, "no"], WHOLE], 10);
  assert.is(refused.asked, 1);
  assert.match(refused.problem ?? "", "403");
});

test("takes_no_answer_that_broke_off_for_one", async () => {
  const [cut] = await registered(() => [200, '{"a": 1', { "content-length": "40" }]);
  assert.is(cut.status, 0);
  assert.match("error" in cut ? cut.error : "", "IncompleteRead");
  const [fault] = await registered(() => [500, "bro", { "content-length": "40" }]);
  assert.match("error" in fault ? fault.error : "", "IncompleteRead");
});

test("looks_a_champion_of_another_model_up_under_its_own_name", async () => {
  const reply: Reply = ({ path }) => {
    const { pathname, searchParams } = new URL(path, "http://models");
    if (!pathname.endsWith("model-versions/get")) return [200, { run: searchParams.get("run_id") }];
    const [name, version] = [searchParams.get("name"), searchParams.get("version")];
    return [200, { model_version: { name, version, run_id: `run of ${name ?? ""}` } }];
  };
  const server = new StandIn(reply);
  const base = await server.listen();
  const champion = { name: "iris-of-before", version: "7" };
  const found = await helper<RegistryFacts>({ base, facts: { ...ASK.facts, champion } });
  server.stop();
  assert.equal(found.champion?.run, { status: 200, body: { run: "run of iris-of-before" } });
  assert.equal(found.versions["7"]?.run, { status: 200, body: { run: "run of iris" } });
});

test.run();
