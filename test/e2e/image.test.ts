// The image of the iris service: what it is, that it serves, and how it is published.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry } from "../../ci/sandbox/registry.js";
import { slipway, UNSCANNED } from "./support/checks.js";
import { inspect, validate } from "./support/image.js";
import { copyOf, fixture, IRIS, scratch } from "./support/project.js";
import { openSession } from "./support/session.js";

const folder = await scratch();
const source = await copyOf(IRIS, join(folder.path, "iris"));
const registry = await startRegistry();
const session = await openSession();
await session.serve();

const test = suite("image");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

interface Built {
  id: string;
  user: string;
  entrypoint: string[];
  exposedPorts: { port: number }[];
  labels: { name: string; value: string }[];
  rootfs: { id: string };
}

async function build(fields: string): Promise<Built> {
  const answer = await session.query<{ slipway: { build: Built } }>(
    `{ ${await slipway(session, source)} { build(revision: "abc123") { ${fields} } } }`,
  );
  return answer.slipway.build;
}

test("is_non_root_and_says_what_it_is", async () => {
  const image = await build("user entrypoint exposedPorts { port } labels { name value }");
  assert.is(image.user, "10001:10001");
  assert.equal(image.exposedPorts, [{ port: 8000 }]);
  const labels = Object.fromEntries(image.labels.map(({ name, value }) => [name, value]));
  assert.is(labels["org.opencontainers.image.title"], "iris-service");
  assert.is(labels["org.opencontainers.image.version"], "1.0.0");
  assert.is(labels["org.opencontainers.image.revision"], "abc123");
  assert.is(labels["slipway.model.name"], "iris-random-forest");
  assert.is(labels["slipway.model.stage"], "production");
});

test("serves_healthz_and_predictions", async () => {
  const image = await build("id");
  const service = await session.query<{ loadContainerFromID: { asService: { id: string } } }>(
    `{ loadContainerFromID(id: ${JSON.stringify(image.id)}) { asService(useEntrypoint: true) { id } } }`,
  );
  const id = JSON.stringify(service.loadContainerFromID.asService.id);
  const tunnel = await session.query<{ host: { tunnel: { id: string } } }>(
    `{ host { tunnel(service: ${id}) { id } } }`,
  );
  const load = `loadServiceFromID(id: ${JSON.stringify(tunnel.host.tunnel.id)})`;
  await session.query(`{ ${load} { start } }`);
  const { loadServiceFromID } = await session.query<{ loadServiceFromID: { endpoint: string } }>(
    `{ ${load} { endpoint(scheme: "http") } }`,
  );
  const url = loadServiceFromID.endpoint;
  const health = await fetch(`${url}/healthz`);
  assert.is(health.status, 200);
  const instance = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const predict = (body: unknown): Promise<Response> =>
    fetch(`${url}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const answer = await predict({ instances: [instance] });
  assert.is(answer.status, 200);
  assert.match(await answer.text(), /setosa/);
  const wrong = await predict({ instances: [{ ...instance, sepal_length: -1 }] });
  assert.is(wrong.status, 422);
  await session.query(`{ ${load} { stop } }`);
  await session.query(`{ loadServiceFromID(id: ${id}) { stop } }`);
});

/** Starts the service, waits for its health check, ends it. */
const PROBED = `iris-service & pid=$!
for try in $(seq 100); do
  python -c 'import urllib.request as r; r.urlopen("http://127.0.0.1:8000/readyz", timeout=2)' && break
  sleep 0.2
done 2>/dev/null
kill "$pid" && wait "$pid"
test "$try" -lt 100 && id -u && ! touch /app/x /venv/x /x 2>/dev/null`;

test("runs_without_privileges_and_writes_nothing_to_its_file_system", async () => {
  const { rootfs, id } = await build("id rootfs { id }");
  const { loadContainerFromID: after } = await session.query<{
    loadContainerFromID: { withExec: { stdout: string; rootfs: { diff: { glob: string[] } } } };
  }>(
    `{ loadContainerFromID(id: ${JSON.stringify(id)}) {
      withExec(args: ["sh", "-c", ${JSON.stringify(PROBED)}]) { stdout
        rootfs { diff(other: ${JSON.stringify(rootfs.id)}) { glob(pattern: "**") } }
    } } }`,
  );
  assert.match(after.withExec.stdout, /^10001$/m);
  // The difference is asked the other way round too: what is new, and what is gone.
  assert.equal(after.withExec.rootfs.diff.glob, []);
});

interface Published {
  slipway: { publish: { reference: string; digest: string; tags: string[] } };
}

test("publishes_by_digest_what_other_clients_accept", async () => {
  const repository = `${registry.address}/team/iris`;
  const { slipway: answer } = await session.query<Published>(
    `{ ${await slipway(session, source, UNSCANNED)} { publish(repository: "${repository}", tags: ["1.0.0", "latest"]) { reference digest tags } } }`,
  );
  const { reference, digest, tags } = answer.publish;
  assert.is(reference, `${repository}@${digest}`);
  assert.equal(tags, [`${repository}:1.0.0`, `${repository}:latest`]);
  for (const tag of tags) assert.is((await inspect(tag)).Digest, digest);
  const { Labels } = await inspect(reference);
  assert.is(Labels?.["org.opencontainers.image.title"], "iris-service");
  await validate(reference);
});

test("refuses_to_give_a_release_tag_other_content", async () => {
  const small = await copyOf(fixture("pep621-project"), join(folder.path, "small"));
  const repository = `${registry.address}/team/small`;
  const publish = async (more = ""): Promise<string> => {
    const { slipway: answer } = await session.query<Published>(
      `{ ${await slipway(session, small, UNSCANNED)} { publish(repository: "${repository}", tags: ["v1.0.0", "latest"] ${more}) { digest } } }`,
    );
    return answer.publish.digest;
  };
  const first = await publish();
  assert.is(await publish(), first, "equal content may be published again");
  await appendFile(join(small, "src/hosts/__init__.py"), "\nOTHER = 1\n");
  const refusal = await publish().then(
    () => "published",
    (error: unknown) => (error as Error).message,
  );
  assert.ok(refusal.includes("Nothing was published"), refusal);
  assert.ok(refusal.includes(first), refusal);
  assert.match(refusal, /--overwrite/);
  for (const tag of ["v1.0.0", "latest"])
    assert.is((await inspect(`${repository}:${tag}`)).Digest, first, tag);
  const moved = await publish(", overwrite: true");
  assert.is.not(moved, first);
  assert.is((await inspect(`${repository}:v1.0.0`)).Digest, moved);
});

test.run();
