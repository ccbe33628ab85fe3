import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse, stringify } from "yaml";

import {
  readKubeconfig,
  type Kubeconfig,
  type KubeconfigOptions,
} from "../../../src/core/delivery/kubeconfig.js";

const test = suite("kubeconfig");

const NOW = new Date();
const DAY = 86_400_000;

/** A certificate for a day and its key, both base64 of PEM. */
function pair(): { certificate: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), "slipway-certificate-"));
  const [key, certificate] = [join(folder, "key"), join(folder, "certificate")];
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
  ];
  const files = ["-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=deployer"];
  execFileSync("openssl", [...request, ...files], { stdio: "ignore" });
  const read = (path: string): string => readFileSync(path).toString("base64");
  const made = { certificate: read(certificate), key: read(key) };
  rmSync(folder, { recursive: true });
  return made;
}
const ours = pair();

type Part = Record<string, unknown>;
const config = (user: Part = { token: "sekret" }, cluster: Part = {}, more: Part = {}): Part => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "prod",
  clusters: [
    { name: "c", cluster: { server: "https://cluster.example:6443", ...cluster } },
    { name: "other", cluster: { server: "https://other.example" } },
  ],
  contexts: [
    { name: "prod", context: { cluster: "c", user: "u", namespace: "shop" } },
    { name: "staging", context: { cluster: "other", user: "v" } },
  ],
  users: [
    { name: "u", user },
    { name: "v", user: { token: "other-sekret" } },
  ],
  ...more,
});

const read = (given: Part | string, options: Partial<KubeconfigOptions> = {}): Kubeconfig =>
  readKubeconfig(typeof given === "string" ? given : stringify(given), { now: NOW, ...options });
const problems = (given: Part | string, options: Partial<KubeconfigOptions> = {}): string => {
  const found = read(given, options);
  assert.is(found.text, "", "what cannot be used is not handed on");
  const said = found.problems.join("\n");
  assert.not.match(said, "sekret");
  return said;
};

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: unknown): string => `${part({ alg: "none" })}.${part(claims)}.c2ln`;

test("takes_it_plain_as_json_and_in_base64_once_or_twice", () => {
  const plain = stringify(config());
  const once = Buffer.from(plain).toString("base64");
  const lines = once.replace(/.{76}/g, "$&\n");
  for (const text of [
    plain,
    JSON.stringify(config()),
    once,
    `${lines}\n`,
    Buffer.from(once).toString("base64"),
  ]) {
    const found = read(text);
    assert.equal(found.problems, []);
    assert.is(found.server, "https://cluster.example:6443");
    assert.is(found.namespace, "shop");
    assert.equal([found.context, found.user], ["prod", "u"]);
    assert.equal(found.secrets, ["sekret"]);
  }
});

test("hands_on_one_context_and_nothing_of_the_others", () => {
  const { text } = read(config());
  assert.not.match(text, "other");
  const handed = parse(text) as { clusters: unknown[]; users: unknown[]; contexts: unknown[] };
  assert.equal([handed.clusters.length, handed.users.length, handed.contexts.length], [1, 1, 1]);
  assert.is(read(config(), { context: "staging" }).server, "https://other.example");
});

test("refuses_what_is_no_kubeconfig_and_shows_none_of_it", () => {
  assert.match(problems(""), /empty/);
  assert.match(problems(" \n"), /empty/);
  assert.match(problems("a: [sekret\nb: }"), /line \d+ of it is no YAML/);
  assert.match(problems("sekret"), /no kubeconfig/);
  assert.match(problems("- sekret"), /no kubeconfig/);
  assert.match(problems("token: sekret"), /no clusters, users and contexts/);
  assert.match(problems(Buffer.from("sekret sekret sekret").toString("base64")), /no kubeconfig/);
  assert.match(problems(config({ token: 12 })), /users\.0\.user\.token/);
});

test("names_the_contexts_there_are_when_the_one_is_not", () => {
  assert.match(
    problems(config(undefined, {}, { "current-context": "" })),
    /no current-context; there are "prod", "staging": set deploy\.context/,
  );
  assert.match(
    problems(config(undefined, {}, { "current-context": "gone" })),
    /"gone" is not in it/,
  );
  assert.match(problems(config(), { context: "x" }), /no context "x" \(deploy\.context\)/);
  assert.match(problems(config(undefined, {}, { contexts: null })), /there is no other/);
  assert.match(
    problems(config(undefined, {}, { users: [] })),
    /names a user "u" that is not in it/,
  );
  assert.match(problems(config(undefined, {}, { clusters: [] })), /names a cluster "c"/);
});

test("refuses_paths_of_files_that_no_container_has", () => {
  for (const [user, cluster] of [
    [{ tokenFile: "/home/ann/token" }, {}],
    [{ "client-certificate": "/home/ann/c.pem", "client-key-data": ours.key }, {}],
    [{ "client-certificate-data": ours.certificate, "client-key": "key.pem" }, {}],
    [{ token: "sekret" }, { "certificate-authority": "ca.crt" }],
  ] as const)
    assert.match(problems(config(user, cluster)), /is a path .* --flatten --raw --minify/);
});

test("refuses_users_that_need_another_program", () => {
  assert.match(
    problems(config({ exec: { command: "aws" } })),
    /asks the program aws .*kubectl create token/,
  );
  assert.match(problems(config({ "auth-provider": { name: "gcp" } })), /auth-provider \(gcp\)/);
  assert.match(problems(config({})), /neither a token nor a client certificate/);
  assert.match(problems(config({ token: "" })), /neither a token nor a client certificate/);
});

test("refuses_a_token_that_has_run_out", () => {
  const exp = Math.floor(NOW.getTime() / 1000);
  const good = read(config({ token: jwt({ exp: exp + 60 }) }));
  assert.equal(good.problems, []);
  assert.is(good.expires?.getTime(), (exp + 60) * 1000);
  assert.match(problems(config({ token: jwt({ exp: exp - 1 }) })), /its token expired at \d{4}-/);
  for (const token of [jwt({}), "a.b.c", "opaque-sekret"])
    assert.is(read(config({ token })).expires, undefined);
});

test("refuses_a_certificate_that_has_run_out_or_is_another_s", () => {
  const user = { "client-certificate-data": ours.certificate, "client-key-data": ours.key };
  const good = read(config(user));
  assert.equal(good.problems, []);
  assert.equal(good.secrets, [ours.key]);
  assert.ok(good.expires && good.expires > NOW);
  const later = new Date(NOW.getTime() + 2 * DAY);
  assert.match(problems(config(user), { now: later }), /client certificate expired at/);
  const before = new Date(NOW.getTime() - 2 * DAY);
  assert.match(problems(config(user), { now: before }), /valid only from/);
  assert.match(
    problems(config({ ...user, "client-key-data": pair().key })),
    /client key is not the one of its client certificate/,
  );
  assert.match(problems(config({ ...user, "client-key-data": "eA==" })), /is no private key/);
  assert.match(
    problems(config({ ...user, "client-certificate-data": "eA==" })),
    /is no certificate/,
  );
  assert.match(problems(config({ "client-certificate-data": ours.certificate })), /no client key/);
  assert.match(problems(config({ "client-key-data": ours.key })), /no client certificate/);
});

test("tells_the_earlier_of_two_ends", () => {
  const exp = Math.floor(NOW.getTime() / 1000) + 60;
  const both = { "client-certificate-data": ours.certificate, "client-key-data": ours.key };
  const found = read(config({ ...both, token: jwt({ exp }) }));
  assert.is(found.expires?.getTime(), exp * 1000);
  assert.is(found.secrets.length, 2);
});

test("leads_to_a_server_on_the_caller's_loopback_by_a_service", () => {
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const given = config(undefined, { server: `https://${host}:6443/k8s` });
    assert.match(problems(given), `pass --cluster tcp://${host}:6443`);
    const { text, problems: none, server } = read(given, { service: true });
    assert.equal(none, []);
    const [made] = (parse(text) as { clusters: { cluster: Part }[] }).clusters;
    assert.equal(made?.cluster, {
      server: "https://cluster:6443/k8s",
      "tls-server-name": host.replace(/[[\]]/g, ""),
    });
    assert.is(server, `https://${host}:6443/k8s`);
  }
});

test("keeps_the_name_that_the_certificate_of_the_server_is_for", () => {
  const given = config(undefined, {
    server: "https://127.0.0.1:1",
    "tls-server-name": "kubernetes",
  });
  assert.match(read(given, { service: true }).text, '"tls-server-name":"kubernetes"');
});

test("warns_of_what_protects_nothing", () => {
  const warned = (cluster: Part): string => read(config(undefined, cluster)).warnings.join();
  assert.is(warned({}), "");
  assert.match(warned({ server: "http://cluster.example" }), /plain http/);
  assert.match(warned({ "insecure-skip-tls-verify": true }), /is believed/);
});

test("refuses_a_server_that_is_no_url", () => {
  for (const server of ["cluster.example:6443", "ftp://x", ""])
    assert.match(problems(config(undefined, { server })), /no URL like https/);
});

test("counts_the_password_of_a_proxy_among_the_secrets", () => {
  const found = read(config(undefined, { "proxy-url": "http://ann:hidden@proxy:3128" }));
  assert.equal(found.secrets, ["sekret", "hidden"]);
});

test.run();
