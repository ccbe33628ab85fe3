// A release pins the model's version by a real MLflow; a deployment takes that one, wherever the
// alias points by then.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase } from "../../ci/sandbox/database.js";
import { startMlflow } from "../../ci/sandbox/mlflow.js";
import { startRegistry } from "../../ci/sandbox/registry.js";
import { PREDICATE_NAMES } from "../../src/core/attestations/names.js";
import type { Model } from "../../src/core/attestations/predicates.js";
import type { Provenance } from "../../src/core/provenance.js";
import { judged, ofForm } from "../forms.js";
import { loopback, slipway } from "./support/checks.js";
import { Evidence, makeKeys, refusal } from "./support/evidence.js";
import { inspect } from "./support/image.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

const NAME = "iris-random-forest";

await programImages();
const folder = await scratch();
const [registry, mlflow, session] = await Promise.all([
  startRegistry(),
  startMlflow(),
  openSession(),
]);
await session.serve();
const database = join(folder.path, "database");
await makeDatabase(database);
const keys = await makeKeys(join(folder.path, "keys"));
const source = await serviceWith("0.16.0", join(folder.path, "source"));
const models = await loopback(session, mlflow.url);
const repository = `${registry.address}/team/modelled`;

const files = { MLmodel: "flavors: {}\n", "data/model.skops": "a forest\n" };
const first = await mlflow.register(NAME, { files, metrics: { accuracy: 0.93 } });
const second = await mlflow.register(NAME, { files, metrics: { accuracy: 0.97 } });
await mlflow.setAlias(NAME, "challenger", first.version);

const test = suite("the model of a release");
test.after(async () => {
  await session.close();
  await mlflow.stop();
  await registry.stop();
  await folder.forget();
});

const BASE = [
  ...[`model.tracking=${mlflow.url}`, "model.alias=challenger"],
  `verify.predicates=${PREDICATE_NAMES.join(",")}`,
];

function evidence(...set: string[]): Evidence {
  const given = { database, registry: registry.address, set: [...BASE, ...set] };
  return new Evidence(session, source, given, keys);
}

/** By hand: find -type f -printf '%P\n' | sort | xargs sha256sum | sha256sum, over the two files. */
const DIGEST = "d823b7174aa10a6007c219e1869cac0bd979f8ee58c275ab046372961aef2823";

const PINNED: Model = {
  ...{ name: NAME, stage: "challenger", version: first.version, run: first.run },
  digest: { sha256: DIGEST },
};

let reference = "";

test("is_in_labels_provenance_and_statement_with_version_run_and_digest", async () => {
  const out = join(folder.path, "evidence");
  const write = `evidence { export(path: ${JSON.stringify(out)}) }`;
  const released = await evidence().release({ repository, models, tags: ["1"] }, write);
  reference = released.reference;
  const read = async <T>(name: string): Promise<T> => {
    const text = await readFile(join(out, "statements", `${name}-1.json`), "utf8");
    return (JSON.parse(text) as { predicate: T }).predicate;
  };
  assert.equal(await read<Model>("model"), PINNED);
  assert.equal(judged("model-predicate", PINNED), []);
  const { buildDefinition } = await read<Provenance>("provenance");
  const asked = { name: NAME, stage: "challenger" };
  assert.equal(buildDefinition.externalParameters.model, asked);
  assert.equal(buildDefinition.resolvedDependencies.at(-1), {
    ...{ name: "model", uri: `models:/${NAME}/1`, digest: { sha256: DIGEST } },
    annotations: { name: NAME, version: "1", run: first.run },
  });
  const { Labels } = await inspect(reference);
  const labels = Object.entries(Labels ?? {}).filter(([name]) => name.startsWith("slipway.model."));
  assert.equal(Object.fromEntries(labels), {
    ...{ "slipway.model.name": NAME, "slipway.model.stage": "challenger" },
    ...{ "slipway.model.version": "1", "slipway.model.run": first.run },
    "slipway.model.digest": `sha256:${DIGEST}`,
  });
  assert.match(released.table, `${NAME} 1 (challenger) run ${first.run} sha256:${DIGEST}`);
});

interface Told {
  readonly check: string;
  readonly ok: boolean;
  readonly warning?: true;
  readonly found: string;
}

/** What `validate` tells of the model before a deployment of the image. */
async function told(...set: string[]): Promise<Told[]> {
  const { publicKey } = keys;
  const file = `${folder.path}/keys/cosign.pub`;
  assert.is(await readFile(file, "utf8"), publicKey);
  const { host } = await session.query<{ host: { file: { id: string } } }>(
    `{ host { file(path: ${JSON.stringify(file)}) { id } } }`,
  );
  const object = await slipway(session, source, {
    ...{ registry: registry.address, set: [...BASE, ...set] },
  });
  const args = Object.entries({ reference, models, publicKey: host.file.id })
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(", ");
  const answer = await session.query<{ slipway: { validate: { json: string } } }>(
    `{ ${object} { validate(${args}) { json } } }`,
  );
  const { findings } = ofForm("validate", answer.slipway.validate.json) as { findings: Told[] };
  assert.ok(
    findings.some(({ check, ok }) => check === "image" && ok),
    JSON.stringify(findings),
  );
  return findings.filter(({ check }) => check === "model");
}

test("is_what_a_deployment_takes", async () => {
  const [found, ...more] = await told();
  assert.match(found?.found ?? "", `models:/${NAME}/1 by what the image was released with, run`);
  assert.equal(more, []);
});

test("is_what_a_deployment_takes_with_a_warning_when_the_alias_has_moved", async () => {
  await mlflow.setAlias(NAME, "challenger", second.version);
  const [found, warning] = await told();
  assert.match(found?.found ?? "", `models:/${NAME}/1 by`);
  assert.equal([warning?.ok, warning?.warning], [true, true]);
  assert.match(
    warning?.found ?? "",
    /challenger is version 2 by now; the image was released with.* 1/,
  );
});

test("stops_a_deployment_whose_configuration_names_another_version", async () => {
  const [finding, ...more] = await told("model.version=2", "verify.predicates=provenance,sbom");
  assert.is(finding?.ok, false);
  assert.match(finding?.found ?? "", /the image was released with 1, model\.version is 2/);
  assert.equal(more, []);
});

test("is_another_image_when_it_is_released_again_with_another_version", async () => {
  const again = await evidence().release({ repository, models, tags: ["2"] });
  assert.not.match(again.reference, reference);
  assert.match(again.table, `${NAME} 2 (challenger) run ${second.run}`);
});

test("stops_a_release_when_its_gates_do_not_hold_or_the_registry_is_not_there", async () => {
  const gates = `model.gates=${JSON.stringify([{ metric: "accuracy", minimum: 0.99 }])}`;
  const none = `${registry.address}/team/none`;
  const low = await refusal(evidence(gates).release({ repository: none, models }));
  assert.match(low, /stopped by the model; no tag was moved/);
  assert.match(low, /accuracy: 0\.97, wanted at least 0\.99/);
  const gone = await refusal(
    evidence("model.alias=prodution").release({ repository: none, models }),
  );
  assert.match(gone, /no alias prodution/);
  const tags = await fetch(`http://${registry.address}/v2/team/none/tags/list`);
  assert.is(tags.status, 404);
});

test.run();
