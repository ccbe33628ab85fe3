// How proxy.py starts `kubectl proxy`, and what becomes of requests when nobody answers.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";

import { apiSuite, ask, configMap, CORE, first, KINDS } from "./asking.js";

const test = apiSuite("proxy.py");

test("repeats_what_the_api_server_does_not_answer_and_then_tells_why", ({ folder }) => {
  const away = "dial tcp 198.18.0.1:6443: connect: connection refused\n";
  const { answers } = ask(
    folder,
    { [`GET ${CORE}/configmaps/a`]: [500, away] },
    [{ one: { kind: "v1/configmaps", name: "a" } }],
    { retry: [{ seconds: 0.5, pattern: "connection refused" }], every: 0.1 },
  );
  assert.is(first(answers).exitCode, 1);
  assert.is(first(answers).stderr, away);
  assert.ok(first(answers).tries > 2);
});

test("tells_what_kubectl_said_when_it_does_not_serve", ({ folder }) => {
  const { answers } = ask(folder, { ends: "error: no configuration has been provided" }, [
    { one: { kind: "v1/configmaps", name: "a" } },
  ]);
  assert.is(first(answers).exitCode, 1);
  assert.match(first(answers).stderr, "no configuration has been provided");
});

test("tells_that_kubectl_is_not_there", ({ folder }) => {
  rmSync(join(folder, "kubectl"));
  const { answers } = ask(folder, {}, [{ one: { kind: "v1/configmaps", name: "a" } }]);
  assert.is(first(answers).exitCode, 1);
  assert.match(first(answers).stderr, "No such file or directory: 'kubectl'");
});

test("leaves_no_proxy_and_no_socket_behind", ({ folder }) => {
  ask(folder, KINDS, [{ create: [configMap("a")] }]);
  const socket = readFileSync(join(folder, "socket"), "utf8");
  assert.match(socket, /\.sock$/);
  assert.not.ok(existsSync(socket));
  assert.not.ok(existsSync(`${socket}.log`));
  const running = spawnSync("pgrep", ["-f", join(folder, "kubectl")], { encoding: "utf8" });
  assert.is(running.stdout, "");
});

test.run();
