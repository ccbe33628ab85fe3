import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BUILDER } from "../../src/core/attestations/names.js";
import { configSchema, type Config } from "../../src/core/config/schema.js";
import { verifyCommands } from "../../src/core/evidence.js";
import { readCredentials, signerKind, tokenProblem, type Means } from "../../src/core/signer.js";
import {
  builderProblem,
  strangerProblem,
  verifierFlags,
  wantedIdentity,
  type Verifier,
} from "../../src/core/verifier.js";
import { raises } from "./raises.js";

const test = suite("who signs");

const NOTHING: Means = {
  key: false,
  reference: undefined,
  credentials: false,
  token: false,
  requestUrl: undefined,
  requestToken: false,
};
const GITHUB = { requestUrl: "https://token.example/?a=b", requestToken: true };

const kind = (means: Partial<Means>): string => signerKind({ ...NOTHING, ...means });
const refusal = (means: Partial<Means>): string => raises("USAGE", () => kind(means));

test("takes_a_key_a_reference_a_token_and_last_what_github_gives", () => {
  assert.is(kind({ key: true, ...GITHUB }), "key");
  for (const reference of [
    "awskms:///alias/release",
    "azurekms://vault.example/release",
    "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "hashivault://release",
    "k8s://ci/release",
  ])
    assert.is(kind({ reference, credentials: true, ...GITHUB }), "reference");
  assert.is(kind({ token: true, ...GITHUB }), "token");
  assert.is(kind(GITHUB), "github");
});

test("names_every_way_to_sign_when_none_is_given", () => {
  const said = refusal({});
  for (const way of ["--key (COSIGN_PRIVATE_KEY)", "--key-reference", "--identity-token"])
    assert.ok(said.includes(way), said);
});

test("refuses_what_contradicts_itself_or_is_half", () => {
  assert.match(refusal({ key: true, token: true }), /more than one is given/);
  assert.match(refusal({ key: true, reference: "k8s://a/b" }), /more than one is given/);
  assert.match(refusal({ requestToken: true }), /both --request-url and --request-token/);
  assert.match(refusal({ requestUrl: "https://x" }), /both --request-url and --request-token/);
  assert.match(refusal({ credentials: true, key: true }), /pass --key-reference too/);
});

test("refuses_a_reference_that_is_a_path_a_variable_or_something_else", () => {
  for (const reference of ["cosign.key", "env://KEY", "pkcs11:token", "awskms://", "k8s://a b"])
    assert.match(refusal({ reference }), /--key-reference takes awskms:/, reference);
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const NOW = new Date("2026-11-24T12:00:00Z");
const token = (claims: unknown): string => `${part({ alg: "none" })}.${part(claims)}.c2ln`;

const problem = (text: string): string => tokenProblem(text, NOW) ?? "";

test("takes_a_token_that_has_not_expired_and_no_other", () => {
  const seconds = NOW.getTime() / 1000;
  assert.is(problem(`${token({ exp: seconds + 60 })}\n`), "");
  assert.is(problem(token({})), "");
  assert.match(problem(token({ exp: seconds - 60 })), "expired at 2026-11-24T11:59:00");
  assert.match(problem(" "), /empty/);
  for (const text of ["gho_canary", "a.canary.b", token([])]) {
    assert.match(problem(text), /no OIDC token/);
    assert.not.match(problem(text), "canary");
  }
});

test("reads_what_opens_a_kms_and_knows_what_belongs_into_a_file", () => {
  const text = 'VAULT_ADDR=https://v:8200\n\n# a note\nVAULT_TOKEN=a=b\r\nKUBECONFIG={"a":1}\n';
  assert.equal(readCredentials(text), [
    { name: "VAULT_ADDR", value: "https://v:8200", file: false },
    { name: "VAULT_TOKEN", value: "a=b", file: false },
    { name: "KUBECONFIG", value: '{"a":1}', file: true },
  ]);
  const [google] = readCredentials("GOOGLE_APPLICATION_CREDENTIALS={}");
  assert.ok(google?.file);
});

test("refuses_other_variables_and_says_the_line_but_not_what_is_on_it", () => {
  for (const line of ["canary", "PATH=canary", "LD_PRELOAD=canary", "VAULT_TOKEN=", "=canary"]) {
    const said = raises("USAGE", () => readCredentials(`VAULT_ADDR=x\n${line}`));
    assert.match(said, /line 2 of --key-credentials/);
    assert.not.match(said, "canary");
  }
});

const PATHS = { key: "/k", root: "/r" };
const by = (identity: string, issuer: string, root?: object): Verifier => ({
  kind: "identity",
  identity,
  issuer,
  ...(root && { root: { path: "root.json", text: JSON.stringify(root) } }),
});

test("looks_for_the_very_identity_or_for_an_expression_that_matches_all_of_it", () => {
  assert.equal(verifierFlags(by("ann@example.com", "https://issuer.example"), PATHS), [
    "--certificate-identity=ann@example.com",
    "--certificate-oidc-issuer=https://issuer.example",
  ]);
  assert.equal(verifierFlags(by("/a|b/", "/https:.+/"), PATHS), [
    "--certificate-identity-regexp=^(?:a|b)$",
    "--certificate-oidc-issuer-regexp=^(?:https:.+)$",
  ]);
});

test("asks_for_the_repository_whose_job_signed_where_one_is_named", () => {
  const verifier = { ...by("a", "b"), repository: "team/greeter" } as Verifier;
  assert.is(
    verifierFlags(verifier, PATHS).at(-1),
    "--certificate-github-workflow-repository=team/greeter",
  );
  for (const repository of ["greeter", "https://github.com/team/greeter", "team/a b", "/./"])
    assert.not.ok(configSchema.safeParse({ verify: { repository } }).success, repository);
});

test("asks_a_sigstore_of_ones_own_only_for_what_it_has_and_never_for_no_time_at_all", () => {
  const flags = (root: object): string[] => verifierFlags(by("a", "b", root), PATHS).slice(2);
  const authority = { certificateAuthorities: [{}] };
  assert.equal(flags({ ...authority, tlogs: [{}], ctlogs: [{}] }), ["--trusted-root=/r"]);
  assert.equal(flags({ ...authority, timestampAuthorities: [{}] }), [
    "--trusted-root=/r",
    "--insecure-ignore-sct=true",
    "--insecure-ignore-tlog=true",
    "--use-signed-timestamps=true",
  ]);
  for (const root of [authority, { tlogs: [{}] }, []])
    assert.match(
      raises("USAGE", () => flags(root)),
      /verify\.trustedRoot (names|is)/,
    );
});

test("wants_identity_and_issuer_or_neither", () => {
  const wanted = (verify: object): unknown => wantedIdentity(configSchema.parse({ verify }).verify);
  assert.is(wanted({}), undefined);
  assert.equal(wanted({ identity: "a", issuer: "b" }), { identity: "a", issuer: "b" });
  const whole = { identity: "a", issuer: "b", repository: "team/greeter" };
  assert.equal(wanted(whole), whole);
  for (const half of [{ identity: "a" }, { issuer: "b" }, { repository: "team/greeter" }])
    assert.match(
      raises("USAGE", () => wanted(half)),
      /one half is missing/,
    );
});

test("refuses_an_expression_that_is_none", () => {
  for (const identity of ["/", "//", "/(/", "/open", ""])
    assert.not.ok(configSchema.safeParse({ verify: { identity } }).success, identity);
  for (const identity of ["/.+@example\\.com/", "ann@example.com", "https://a/b"])
    assert.ok(configSchema.safeParse({ verify: { identity } }).success, identity);
});

test("shows_commands_that_a_shell_reads_as_they_are_meant", () => {
  const [line = ""] = verifyCommands("x@sha256:0a", [], by("/it's (me|us)/", "https://i"));
  assert.is(
    line,
    "cosign verify --certificate-identity-regexp '^(?:it'\\''s (me|us))$' --certificate-oidc-issuer https://i x@sha256:0a",
  );
  const root = { certificateAuthorities: [{}], timestampAuthorities: [{}] };
  assert.match(
    verifyCommands("x", [], by("a", "b", root)).join("\n"),
    "--trusted-root root.json --insecure-ignore-sct=true",
  );
});

test("takes_a_mount_path_of_vault_for_no_file_and_a_certificate_for_one", () => {
  const [path, certificate] = readCredentials(
    "TRANSIT_SECRET_ENGINE_PATH=transit-team\nVAULT_CACERT=-----BEGIN CERTIFICATE-----\\nMII=\\n-----END CERTIFICATE-----\n",
  );
  assert.equal(path, { name: "TRANSIT_SECRET_ENGINE_PATH", value: "transit-team", file: false });
  assert.is(certificate?.file, true);
  assert.match(certificate?.value ?? "", "-----\nMII=\n-----");
});

test("knows_a_builder_that_no_release_can_attest", () => {
  const asked = (builder: string, predicates: Config["verify"]["predicates"] = ["provenance"]) =>
    builderProblem({ key: "cosign.pub", age: 24, predicates, builder });
  assert.is(asked(BUILDER), undefined);
  assert.is(asked("/urn:slipway:builder:.+/"), undefined);
  const workflow = "https://github.com/team/greeter/.github/workflows/release.yml@refs/heads/main";
  assert.match(asked(workflow) ?? "", /verify\.builder.*SLIPWAY_VERIFY_BUILDER/);
  assert.is(asked(workflow, ["sbom"]), undefined, "nobody asks who built it");
});

test("knows_a_signer_that_the_projects_policy_does_not_believe", () => {
  const policy = { identity: undefined, key: "cosign.pub" };
  const pem = (body: string): string =>
    `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
  const signer = (body: string): Verifier => ({ kind: "key", publicKey: pem(body) });
  assert.is(strangerProblem(signer("AAAA"), policy, undefined), undefined, "there is no key yet");
  assert.is(strangerProblem(signer("AAAA"), policy, pem("AA\nAA").trim()), undefined);
  assert.match(
    strangerProblem(signer("AAAA"), policy, pem("BBBB")) ?? "",
    /not the project's cosign\.pub/,
  );
  const identity = { ...policy, identity: "https://x.example/release.yml" };
  assert.match(strangerProblem(signer("AAAA"), identity, undefined) ?? "", /what signs is a key/);
  const keyless: Verifier = { kind: "identity", identity: "x", issuer: "y" };
  assert.is(strangerProblem(keyless, identity, pem("BBBB")), undefined);
});

test.run();
