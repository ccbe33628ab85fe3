import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startAdvisories, type AdvisoryServer } from "../../ci/sandbox/advisories.js";

interface Answer {
  vulns?: { id: string }[];
  results?: Answer[];
  message?: string;
}

const record = (id: string, affected: object, more: object = {}): object => ({
  id,
  modified: "2026-01-01T00:00:00Z",
  affected: [{ package: { ecosystem: "PyPI", name: "Some_Package" }, ...affected }],
  ...more,
});

const range = (...events: object[]): object => ({ ranges: [{ type: "ECOSYSTEM", events }] });

async function folderOf(records: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-osv-"));
  for (const [name, content] of Object.entries(records)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const answers = suite("the mirror of advisories");
let server: AdvisoryServer;
let folder: string;

answers.before(async () => {
  folder = await folderOf({
    "fixed.json": record("FIXED", range({ introduced: "0" }, { fixed: "1.10" })),
    "window.json": record("WINDOW", range({ introduced: "2.0" }, { last_affected: "2.2" }), {
      aliases: ["CVE-1"],
    }),
    "twice.json": record(
      "TWICE",
      range({ introduced: "4.1" }, { fixed: "4.2" }, { introduced: "3.1" }, { fixed: "3.2" }),
    ),
    "listed.json": record("LISTED", { versions: ["5.0"] }),
    "withdrawn.json": record("WITHDRAWN", range({ introduced: "0" }), {
      withdrawn: "2026-02-01T00:00:00Z",
    }),
  });
  server = await startAdvisories(folder);
});
answers.after(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function post(path: string, body: unknown): Promise<{ status: number; answer: Answer }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${server.url}${path}`, { method: "POST", body: text });
  return { status: response.status, answer: (await response.json()) as Answer };
}

async function ids(version: string): Promise<string[]> {
  const { status, answer } = await post("/v1/query", {
    package: { name: "some-package", ecosystem: "PyPI" },
    version,
  });
  assert.is(status, 200);
  return (answer.vulns ?? []).map((each) => each.id);
}

answers("compares versions as Python does, not as text", async () => {
  assert.equal(await ids("1.9"), ["FIXED"]);
  assert.equal(await ids("1.10"), []);
  assert.equal(await ids("1.10rc1"), ["FIXED"]);
  assert.equal(await ids("0.dev1"), ["FIXED"]);
});

answers("takes last_affected in, and everything after it out", async () => {
  assert.equal(await ids("2.2"), ["WINDOW"]);
  assert.equal(await ids("2.2.0"), ["WINDOW"]);
  assert.equal(await ids("2.2.post1"), []);
});

answers("follows several windows in whatever order they are written", async () => {
  assert.equal(await ids("3.1.5"), ["TWICE"]);
  assert.equal(await ids("3.2"), []);
  assert.equal(await ids("4.1"), ["TWICE"]);
});

answers("finds listed versions however they are spelled", async () => {
  assert.equal(await ids("5.0.0"), ["LISTED"]);
  assert.equal(await ids("5.0.1"), []);
});

answers("answers nothing found with an empty object, as pip-audit expects", async () => {
  const { answer } = await post("/v1/query", {
    package: { name: "other", ecosystem: "PyPI" },
    version: "1",
  });
  assert.equal(answer, {});
});

answers("finds a package by purl, and all its records without a version", async () => {
  const by = async (purl: string): Promise<number | undefined> =>
    (await post("/v1/query", { package: { purl } })).answer.vulns?.length;
  assert.is(await by("pkg:pypi/some.package@1.0"), 1);
  assert.is(await by("pkg:pypi/some.package"), 4);
});

answers("answers a batch in the order of its queries", async () => {
  const package_ = { name: "some-package", ecosystem: "PyPI" };
  const { answer } = await post("/v1/querybatch", {
    queries: [
      { package: package_, version: "1.10" },
      { package: package_, version: "1.0" },
    ],
  });
  assert.equal(
    answer.results?.map((each) => each.vulns?.map(({ id }) => id)),
    [undefined, ["FIXED"]],
  );
});

answers("gives a record by id and by alias", async () => {
  for (const id of ["WINDOW", "CVE-1"]) {
    const response = await fetch(`${server.url}/v1/vulns/${id}`);
    assert.is(((await response.json()) as { id: string }).id, "WINDOW");
  }
  assert.is((await fetch(`${server.url}/v1/vulns/NONE`)).status, 404);
});

answers("refuses what it can't answer truthfully, instead of finding nothing", async () => {
  const package_ = { name: "some-package", ecosystem: "PyPI" };
  for (const body of [
    "{",
    { commit: "abc" },
    { package: { name: "some-package", ecosystem: "npm" }, version: "1" },
    { package: { purl: "pkg:npm/some-package@1" } },
    { package: package_, version: "not a version" },
    { package: package_, version: 1 },
  ]) {
    const { status, answer } = await post("/v1/query", body);
    assert.is(status, 400, JSON.stringify(body));
    assert.type(answer.message, "string");
  }
});

answers.run();

const records = suite("the folder of records");

records("is the sandbox's own unless another is given", async () => {
  const own = await startAdvisories();
  try {
    const health = (await (await fetch(`${own.url}/healthz`)).json()) as { records: number };
    assert.ok(health.records > 0);
  } finally {
    await own.stop();
  }
});

for (const [what, content] of Object.entries({
  "that is not JSON": "{",
  "without a range": record("A", {}),
  "with an event that is unknown": record("A", range({ introduced: "0" }, { repaired: "1" })),
  "with a version that is none": record("A", range({ introduced: "0" }, { fixed: "one" })),
  "of another ecosystem": { ...record("A", {}), affected: [{ package: { ecosystem: "npm" } }] },
})) {
  records(`rejects a record ${what}, naming the file`, async () => {
    const bad = await folderOf({ "bad.json": content });
    try {
      await (await startAdvisories(bad)).stop();
      assert.unreachable("it was served");
    } catch (error) {
      assert.match(String(error), "bad.json");
    } finally {
      await rm(bad, { recursive: true });
    }
  });
}

records("rejects a folder without records", async () => {
  const empty = await folderOf({});
  try {
    await (await startAdvisories(empty)).stop();
    assert.unreachable("it was served");
  } catch (error) {
    assert.match(String(error), "holds no .json file");
  } finally {
    await rm(empty, { recursive: true });
  }
});

records.run();
