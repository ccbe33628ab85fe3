import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  readStatements,
  sameStatement,
  signedDigest,
} from "../../../src/core/attestations/statement.js";
import { privateKeyProblem, publicKeyProblem } from "../../../src/core/keys.js";

const test = suite("statements and keys");

const DIGEST = `sha256:${"0a".repeat(32)}`;

const entry = (type: string): object => ({
  critical: { identity: {}, image: { "docker-manifest-digest": DIGEST }, type },
  optional: {},
});

test("takes_no_attestation_for_a_signature", () => {
  const signature = entry("https://sigstore.dev/cosign/sign/v1");
  const attestation = entry("https://slsa.dev/provenance/v1");
  assert.is(signedDigest(JSON.stringify([attestation])), undefined);
  assert.is(signedDigest(JSON.stringify([attestation, signature])), DIGEST);
  const earlier = entry("cosign container image signature");
  assert.is(signedDigest(JSON.stringify([attestation, earlier])), DIGEST);
  for (const text of ["", "[]", "{}", "null", "Verification for x"])
    assert.is(signedDigest(text), undefined, text);
});

test("leaves_out_lines_that_are_no_statement", () => {
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "x", digest: { sha256: "00" } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: { a: 1 },
  };
  const line = (value: unknown, payloadType = "application/vnd.in-toto+json"): string =>
    JSON.stringify({
      payloadType,
      payload: Buffer.from(JSON.stringify(value)).toString("base64"),
      signatures: [],
    });
  const lines = [
    line(statement),
    line(statement, "text/plain"),
    line({ ...statement, subject: [] }),
    line({ ...statement, _type: "https://other.example" }),
    "no JSON",
    "",
  ];
  assert.equal(
    readStatements(lines.join("\n")).map(({ predicate }) => predicate),
    [{ a: 1 }],
  );
});

test("finds_two_statements_the_same_but_for_when_they_were_made", () => {
  const one = { b: [1, { startedOn: "2026", x: 1 }], a: null, scanFinishedOn: "x" };
  const other = { scanFinishedOn: "y", a: null, b: [1, { x: 1, startedOn: "2027" }] };
  assert.ok(sameStatement(one, other));
  assert.not.ok(sameStatement(one, { ...other, a: 0 }));
  assert.not.ok(sameStatement(one, { ...other, b: [{ x: 1 }, 1] }));
});

const box = { kdf: { name: "scrypt" }, cipher: { name: "nacl/secretbox" }, ciphertext: "AAAA" };
const body = Buffer.from(JSON.stringify(box)).toString("base64");
const pem = (kind: string, text: string): string =>
  `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`;
const SIGSTORE = "ENCRYPTED SIGSTORE PRIVATE KEY";

test("takes_the_keys_that_cosign_makes", () => {
  assert.is(privateKeyProblem(pem(SIGSTORE, body)), undefined);
  assert.is(privateKeyProblem(pem("ENCRYPTED COSIGN PRIVATE KEY", body)), undefined);
  assert.is(publicKeyProblem(pem("PUBLIC KEY", body)), undefined);
});

test("says_what_is_wrong_with_a_key_without_repeating_it", () => {
  const whole = pem(SIGSTORE, body);
  for (const [text, expected] of [
    [" \n", /empty/],
    [whole.slice(0, 60), /cut short/],
    [whole.slice(0, -10), /cut short/],
    [pem("RSA PRIVATE KEY", body), /cut short, or of another kind/],
    [pem(SIGSTORE, body.slice(8)), /damaged/],
    [pem("PUBLIC KEY", body), /public key/],
    ["hunter2hunter2", /does not begin with/],
  ] as const) {
    const problem = privateKeyProblem(text) ?? "";
    assert.match(problem, expected);
    assert.not.match(problem, body.slice(8, 24));
    assert.not.match(problem, "hunter2");
  }
  assert.match(publicKeyProblem(whole) ?? "", /private key/);
  assert.match(publicKeyProblem("") ?? "", /empty/);
  assert.match(publicKeyProblem("ssh-rsa AAAA") ?? "", /no public key/);
});

test.run();
