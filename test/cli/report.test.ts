import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { makeReport } from "../../src/core/report/report.js";
import { finding, result } from "../core/runs.js";
import { ofForm } from "../forms.js";
import { finished, slipway, start } from "./command.js";

const test = suite("slipway report");
const PROJECT = { name: "iris", version: "1.0.0", kind: "poetry", python: "3.13" };
let folder = "";
let [before, after] = ["", ""];

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-report-"));
  [before, after] = [join(folder, "before.json"), join(folder, "report.json")];
  const bad = result({ state: "FAILED", reason: "1 finding", findings: [finding()] });
  await writeFile(before, JSON.stringify(makeReport(PROJECT, new Date(0), [result()])));
  await writeFile(after, JSON.stringify(makeReport(PROJECT, new Date(1), [bad])));
});
test.after(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("diff_names_what_is_new_and_writes_the_page", async () => {
  const html = join(folder, "diff.html");
  const ran = await slipway(["report", "diff", before, folder, "--html", html]);
  assert.is(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, "+ lint src/app.py:3:8 F401 unused");
  assert.match(ran.stdout, "PASSED → FAILED, 1 finding new");
  assert.match(await readFile(html, "utf8"), '"previous":{');
  const json = await slipway(["report", "diff", before, after, "--output", "json"]);
  const { appeared } = ofForm("comparison", json.stdout) as { appeared: unknown[] };
  assert.is(appeared.length, 1);
});

test("rejects_what_is_no_report", async () => {
  const nothing = await slipway(["report", "diff", before, join(folder, "nowhere")]);
  assert.is(nothing.code, 2);
  assert.match(nothing.stderr, "there is no report at");
  const empty = await mkdtemp(join(folder, "empty-"));
  const none = await slipway(["report", "diff", empty, after]);
  assert.is(none.code, 2);
  assert.match(none.stderr, `there is no report at ${empty}: run slipway check first.`);
  const broken = join(folder, "broken.json");
  await writeFile(broken, "{");
  const ran = await slipway(["report", "diff", broken, after]);
  assert.is(ran.code, 2);
  assert.match(ran.stderr, "is not JSON");
});

test("serves_the_page_on_loopback_until_it_is_interrupted", async () => {
  const child = start(["report", "serve", after, "--previous", before]);
  if (!child.stdout) throw new Error("its output is not piped");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const address = line.toString().trim();
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.match(await (await fetch(address)).text(), "<title>iris 1.0.0: FAILED</title>");
  assert.is((await fetch(`${address}etc/passwd`)).status, 404);
  const ended = finished(child);
  child.kill("SIGINT");
  assert.is((await ended).code, 0, "interrupting is how serving ends");
});

test("open_writes_the_page_beside_the_report_and_says_where", async () => {
  // Without a desktop there is nothing that opens it.
  const ran = await slipway(["report", "open", folder], { env: { PATH: "/nowhere" } });
  assert.is(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^file:\/\/.*report\.html\n$/);
  assert.match(await readFile(join(folder, "report.html"), "utf8"), "iris 1.0.0: FAILED");
});

test.run();
