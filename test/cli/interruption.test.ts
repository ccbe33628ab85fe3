import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { start } from "./command.js";
import { fakeSession } from "./fake-session.js";

const test = suite("an interrupted delivery");
const folder = await mkdtemp(join(tmpdir(), "slipway-interrupted-"));
await writeFile(join(folder, "pyproject.toml"), '[project]\nname = "fine"\nversion = "1"\n');
test.after(() => rm(folder, { recursive: true }));

/** Runs `slipway deploy` until `interrupt` is called, with the deployment under way; gives what it asked then. */
async function interrupted(
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupt: (child: ChildProcess) => void,
): Promise<{ code: number; stderr: string; asked: string }> {
  const session = await fakeSession((query) => {
    if (!query.includes("deploy")) return { data: { slipway: { abort: { table: "aborted\n" } } } };
    interrupt(child);
    return new Promise(() => undefined);
  });
  const options = { cwd: folder, env: { HOME: folder, ...session.env, ...env } };
  const child = start(["deploy", ...flags], options);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number];
  session.close();
  return { code, stderr, asked: session.queries.at(-1) ?? "" };
}

const ctrlC = (child: ChildProcess): void => {
  child.kill("SIGINT");
};

test("takes_back_in_the_cluster_that_a_flag_named", async () => {
  const flags = ["--kube-config", "env://PRODUCTION", "--by", "ada"];
  const { asked, code, stderr } = await interrupted(flags, { PRODUCTION: "x" }, ctrlC);
  assert.is(code, 130);
  assert.match(asked, /abort\(kubeConfig: "env:\/\/PRODUCTION", by: "ada", run: "\w{8}"\)/);
  assert.match(stderr, "aborted");
});

test("takes_nothing_of_another_cluster_in_the_environment", async () => {
  const env = { KUBE_CONFIG_DATA: "server: https://127.0.0.1:7443", PRODUCTION: "x" };
  const { asked } = await interrupted(["--kube-config", "env://PRODUCTION"], env, ctrlC);
  assert.match(asked, 'kubeConfig: "env://PRODUCTION"');
  assert.not.match(asked, "cluster:");
});

test("takes_back_when_nobody_reads_what_it_says", async () => {
  const flags = ["--kube-config", "env://PRODUCTION"];
  const { asked, code } = await interrupted(flags, { PRODUCTION: "x" }, (child) => {
    child.stderr?.destroy();
    child.kill("SIGINT");
  });
  assert.match(asked, "abort(");
  assert.is(code, 130);
});

test("ends_with_the_code_of_a_delivery_whose_result_nobody_reads", async () => {
  const delivered = { state: "live", table: "live\n", json: "{}", markdown: "" };
  const session = await fakeSession(() => {
    child.stdout?.destroy();
    return { data: { slipway: { deploy: delivered } } };
  });
  const env = { ...session.env, PRODUCTION: "x" };
  const child = start(["deploy", "--kube-config", "env://PRODUCTION"], { cwd: folder, env });
  const [code] = (await once(child, "close")) as [number];
  session.close();
  assert.is(code, 0);
});

test.run();
