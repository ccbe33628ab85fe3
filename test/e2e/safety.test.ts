// safety with a key that its service does not take: no verdict, and the key stays where it is.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { check, checkOf } from "./support/checks.js";
import { fixture, scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

const KEY = "canary-5b1f0c77-key-of-nobody";
const session = await openSession();
await session.serve();
const folder = await scratch();

const test = suite("safety");
test.after(async () => {
  await session.close();
  await folder.forget();
});

test("is_errored_with_a_reason_and_tells_nobody_a_key_that_is_not_taken", async () => {
  const { setSecret } = await session.query<{ setSecret: { id: string } }>(
    `{ setSecret(name: "safety-key", plaintext: "${KEY}") { id } }`,
  );
  const exportTo = join(folder.path, "reports");
  const given = { only: ["safety"], safetyKey: setSecret.id, exportTo } as const;
  const { report, summary, passed } = await check(session, fixture("vulnerable-dependency"), given);
  const safety = checkOf(report, "safety");
  assert.is(safety.state, "ERRORED");
  assert.is(passed, false);
  assert.not.match(safety.reason ?? "", /authlib/i);
  assert.match(safety.reason ?? "", /safety exited with \d+ and did not scan\n.*\w/);
  assert.not.ok(`${JSON.stringify(report)}${summary}${session.printed()}`.includes(KEY));
  let read = 0;
  for (const name of await readdir(exportTo, { recursive: true })) {
    if (!(await stat(join(exportTo, name))).isFile()) continue;
    assert.not.ok((await readFile(join(exportTo, name), "utf8")).includes(KEY), name);
    read += 1;
  }
  assert.ok(read > 0);
});

test.run();
