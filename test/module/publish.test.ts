import { Secret } from "@dagger.io/dagger";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { digestOf, isReleaseTag, publishTarget, saysNotFound } from "../../src/stages/publish.js";
import { raises } from "../core/raises.js";
import { known, service } from "./project.js";

const test = suite("publish");

const SECRET = new Secret();
const DIGEST = `sha256:${"0a".repeat(32)}`;

test("knows_release_tags_from_others", () => {
  for (const tag of ["1.2.3", "v1.2.3", "v1.2.3-rc.1", "2026.11.0"])
    assert.ok(isReleaseTag(tag), tag);
  for (const tag of ["latest", "main", "1.2", "v1", "pr-1.2.3", "sha-1234567"])
    assert.not.ok(isReleaseTag(tag), tag);
});

test("takes_only_a_plain_no_for_an_absent_image", () => {
  assert.ok(saysNotFound("registry.example/orders:1.2.3: not found"));
  assert.ok(saysNotFound("MANIFEST_UNKNOWN: manifest unknown"));
  for (const message of [
    "401 Unauthorized",
    "pull access denied, repository does not exist or may require authorization: not found",
    "dial tcp: lookup registry.example: no such host",
    "unexpected status: 500 Internal Server Error",
    "connection refused",
  ])
    assert.not.ok(saysNotFound(message), message);
});

test("reads_the_digest_that_publishing_answers", () => {
  assert.is(digestOf(`registry.example/orders:1@${DIGEST}`), DIGEST);
  assert.match(
    raises("RELEASE", () => digestOf("registry.example/orders:1")),
    /no digest/,
  );
});

test("asks_for_tags_where_the_version_is_known_only_to_git", () => {
  const files = { "pyproject.toml": '[project]\nname = "orders"\ndynamic = ["version"]\n' };
  const project = known(files, ["publish.registry=registry.example"]);
  const message = raises("USAGE", () => publishTarget(project, { overwrite: false }));
  assert.match(message, /version of orders is only known when it is built.*--tags.*publish\.tags/);
  const target = publishTarget(project, { overwrite: false, tags: ["main"] });
  assert.equal(target.tags, ["main"]);
});

test("publishes_under_name_and_version_by_default", () => {
  const target = publishTarget(service(["publish.registry=registry.example"]), {
    overwrite: false,
  });
  assert.is(target.repository, "registry.example/orders");
  assert.equal(target.tags, ["1.2.3"]);
  assert.is(target.overwrite, false);
  assert.is(target.login, undefined);
});

test("makes_a_tag_of_a_local_version_and_refuses_what_can_be_none", () => {
  const project = (version: string) =>
    known({ "pyproject.toml": `[project]\nname = "orders"\nversion = "${version}"\n` }, [
      "publish.registry=registry.example",
    ]);
  assert.equal(publishTarget(project("1.2.3+cpu"), { overwrite: false }).tags, ["1.2.3_cpu"]);
  const epoch = raises("USAGE", () => publishTarget(project("1!1.0"), { overwrite: false }));
  assert.match(epoch, /"1!1\.0" cannot be a tag/);
  const given = { overwrite: false, tags: ["good", "not good"] };
  assert.match(
    raises("USAGE", () => publishTarget(project("1.0.0"), given)),
    /"not good" cannot be a tag/,
  );
});

test("arguments_win_over_the_configuration", () => {
  const target = publishTarget(service(["publish.registry=registry.example", "publish.tags=a,b"]), {
    repository: "other.example/x",
    tags: ["c"],
    overwrite: true,
  });
  assert.equal(
    [target.repository, target.tags, target.overwrite],
    ["other.example/x", ["c"], true],
  );
});

test("names_all_that_is_missing_at_once", () => {
  const message = raises("USAGE", () =>
    publishTarget(service(), { overwrite: false, password: SECRET }),
  );
  assert.match(message, /--repository/);
  assert.match(message, /--username/);
});

test("refuses_a_user_without_a_password", () => {
  const message = raises("USAGE", () =>
    publishTarget(service(), { repository: "r.example/x", overwrite: false, username: "ann" }),
  );
  assert.match(message, /password of ann/);
});

test.run();
