// A project's own Dockerfile, another platform, and a registry that asks who is there.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry } from "../../ci/sandbox/registry.js";
import { slipway, UNSCANNED } from "./support/checks.js";
import { secret } from "./support/evidence.js";
import { inspect } from "./support/image.js";
import { copyOf, fixture, scratch, write } from "./support/project.js";
import { openSession } from "./support/session.js";

const CREDENTIALS = { user: "deployer", password: `not-for-logs-${randomUUID()}` };

const folder = await scratch();
const source = await copyOf(fixture("pep621-project"), join(folder.path, "project"));
await write(source, {
  "ops/Dockerfile": `FROM python:3.13-slim AS base
COPY src /srv

FROM base AS tool
ENTRYPOINT ["python", "-m", "json.tool"]

FROM base
USER 1234
LABEL team=platform
ENTRYPOINT ["ls", "/srv"]
`,
});
const registry = await startRegistry({ auth: CREDENTIALS });
const session = await openSession();
await session.serve();

const test = suite("a project's own Dockerfile");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

const OWN = ["build.dockerfile=ops/Dockerfile"];

/** What is said when a call fails. */
async function refusal(document: string): Promise<string> {
  return await session.query(document).then(
    () => "no error",
    (error: unknown) => (error as Error).message,
  );
}

interface Built {
  readonly user: string;
  readonly stdout: string;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
}

async function build(set: readonly string[]): Promise<Built> {
  const given = await slipway(session, source, { set });
  const { slipway: answer } = await session.query<{
    slipway: { build: Omit<Built, "stdout"> & { withExec: { stdout: string } } };
  }>(
    `{ ${given} { build(revision: "abc123") { user labels { name value } withExec(args: [], useEntrypoint: true) { stdout } } } }`,
  );
  const { withExec, ...rest } = answer.build;
  return { ...rest, stdout: withExec.stdout };
}

test("is_built_and_gets_the_labels", async () => {
  const image = await build(OWN);
  assert.is(image.stdout, "hosts\n");
  assert.is(image.user, "1234");
  const labels = Object.fromEntries(image.labels.map(({ name, value }) => [name, value]));
  assert.is(labels.team, "platform");
  assert.is(labels["org.opencontainers.image.revision"], "abc123");
  assert.ok(labels["org.opencontainers.image.title"]);
  assert.is(labels["org.opencontainers.image.base.name"], undefined);
});

test("fails_when_the_target_or_the_file_is_not_there", async () => {
  const asked = async (set: string[]): Promise<string> =>
    refusal(`{ ${await slipway(session, source, { set })} { build { id user } } }`);
  assert.match(await asked([...OWN, "build.target=nothing"]), /nothing/);
  assert.match(await asked(["build.dockerfile=Containerfile"]), /Containerfile/);
});

test("fails_when_the_base_image_is_not_made_for_the_platform", async () => {
  const given = await slipway(session, source);
  const said = await refusal(`{ ${given} { build(platform: "linux/s390x") { id sync } } }`);
  assert.match(said, /not made for linux\/s390x: it runs as x86_64/);
});

interface Published {
  readonly slipway: { readonly publish: { readonly reference: string; readonly digest: string } };
}

async function publishing(password: string | undefined): Promise<string> {
  const given = await slipway(session, source, { set: [...OWN, ...UNSCANNED.set] });
  const login =
    password === undefined
      ? ""
      : `username: "${CREDENTIALS.user}", password: ${JSON.stringify(await secret(session, password))}`;
  return `{ ${given} { publish(repository: "${registry.address}/team/own", tags: ["1.0.0"] ${login}) { reference digest } } }`;
}

test("is_published_with_credentials", async () => {
  const { slipway: answer } = await session.query<Published>(
    await publishing(CREDENTIALS.password),
  );
  const { reference, digest } = answer.publish;
  assert.is((await inspect(reference, CREDENTIALS)).Digest, digest);
  assert.not.match(session.printed(), CREDENTIALS.password);
});

test("is_not_published_without_them_or_with_wrong_ones_which_are_not_shown", async () => {
  const wrong = `wrong-${randomUUID()}`;
  for (const password of [undefined, wrong]) {
    const said = await refusal(await publishing(password));
    assert.match(said, /401|[Uu]nauthorized|denied|credentials/);
    assert.match(said, registry.address);
    assert.not.match(said, wrong);
  }
  assert.not.match(session.printed(), wrong);
});

test.run();
