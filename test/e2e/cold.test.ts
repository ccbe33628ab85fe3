// Two caches that share nothing: equal images come out, and no secret stays behind.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry, type TemporaryRegistry } from "../../ci/sandbox/registry.js";
import { check, checkOf, slipway, UNSCANNED } from "./support/checks.js";
import { copyOf, fixture, scratch } from "./support/project.js";
import { openSession, type Session } from "./support/session.js";

const folder = await scratch();
/** No other text is likely to hold it, and nothing escapes or wraps it. */
const canary = `canary${randomBytes(12).toString("hex")}`;
const login = { user: "slipway", password: canary };
const registry = await startRegistry({ auth: login });

const test = suite("cold caches");
test.after(async () => {
  await registry.stop();
  await folder.forget();
});

async function secret(session: Session, name: string): Promise<string> {
  const { setSecret } = await session.query<{ setSecret: { id: string } }>(
    `{ setSecret(name: "${name}", plaintext: "${canary}") { id } }`,
  );
  return setSecret.id;
}

/** Publishes the project and gives its digest. */
async function publish(
  session: Session,
  to: TemporaryRegistry,
  source: string,
  tag: string,
): Promise<string> {
  const { slipway: answer } = await session.query<{ slipway: { publish: { digest: string } } }>(
    `{ ${await slipway(session, source, UNSCANNED)} { publish(repository: "${to.address}/team/small", tags: ["${tag}"],
       username: "${login.user}", password: ${JSON.stringify(await secret(session, "password"))}) { digest } } }`,
  );
  return answer.publish.digest;
}

const digests: string[] = [];
const printed: string[] = [];
for (const name of ["first", "second"]) {
  // Another path and other times of files: neither may matter.
  const source = await copyOf(fixture("pep621-project"), join(folder.path, `${name}-source`));
  const cache = join(folder.path, name);
  await mkdir(cache);
  test(`builds_and_publishes_from_an_empty_${name}_cache`, async () => {
    const session = await openSession({ cache });
    try {
      await session.serve();
      digests.push(await publish(session, registry, source, name));
      if (name === "first") {
        const { report } = await check(session, source, {
          only: ["safety"],
          safetyKey: await secret(session, "key"),
          set: ["timeouts.check=40"],
          exportTo: join(folder.path, "reports"),
        });
        // The key is none: what counts is that safety was given it.
        assert.is.not(checkOf(report, "safety").state, "SKIPPED");
      }
    } finally {
      await session.close();
      printed.push(session.printed());
    }
    assert.match(digests.at(-1) ?? "", /^sha256:[0-9a-f]{64}$/);
  });
}

test("gives_the_same_digest_from_both", () => {
  assert.is(digests.length, 2);
  assert.is(digests[0], digests[1]);
});

test("leaves_no_secret_in_caches_reports_or_output", async () => {
  const basic = Buffer.from(`${login.user}:${canary}`).toString("base64");
  const forms = [canary, Buffer.from(canary).toString("hex"), basic];
  for (const form of forms) {
    assert.is(printed.join("\n").includes(form), false, "in what was printed");
    assert.equal(await holding(form, folder.path), []);
  }
  assert.ok(printed.join("").length > 0, "nothing was printed to look through");
});

/** Files below a folder that hold a text, also in binary ones. */
async function holding(text: string, path: string): Promise<string[]> {
  const args = [
    "--recursive",
    "--files-with-matches",
    "--text",
    "--fixed-strings",
    "-e",
    text,
    path,
  ];
  try {
    const { stdout } = await promisify(execFile)("grep", args);
    return stdout.trim().split("\n");
  } catch (error) {
    // 1: no match; anything else is a search that did not happen.
    const { code, stderr } = error as { code?: number; stderr?: string };
    if (code === 1) return [];
    throw new Error(`grep failed: ${stderr ?? ""}`);
  }
}

test("would_find_a_secret_that_stayed", async () => {
  const planted = await scratch();
  await writeFile(
    join(planted.path, "left"),
    Buffer.concat([Buffer.from([0, 255]), Buffer.from(canary)]),
  );
  assert.is((await holding(canary, planted.path)).length, 1);
  await planted.forget();
});

test.run();
