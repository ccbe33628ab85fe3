import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Step } from "../../ci/cli/module/parse.js";
import { withSigner } from "../../ci/cli/module/signer.js";
import type { Argument } from "../../ci/cli/module/types.js";
import type { Value } from "../../ci/cli/module/values.js";

const test = suite("who signs, out of the environment");

const argument = (name: string, type: string): Argument => ({
  name,
  description: "",
  type: { kind: type === "Secret" ? "OBJECT_KIND" : "STRING_KIND", name: type, optional: true },
  required: false,
  defaultValue: "",
  defaultPath: "",
  ignore: [],
});

const SIGN: Step["fn"] = {
  name: "sign",
  description: "",
  args: [
    ...["key", "keyPassword", "keyCredentials", "identityToken", "requestToken"].map((name) =>
      argument(name, "Secret"),
    ),
    ...["keyReference", "requestUrl"].map((name) => argument(name, "String")),
  ],
  returns: { kind: "STRING_KIND", name: "String", optional: false },
  isField: false,
};

const ENV = {
  COSIGN_PRIVATE_KEY: "canary",
  COSIGN_PASSWORD: "canary",
  SIGSTORE_ID_TOKEN: "",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/?a=b",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary",
};

/** Names of the arguments, each with what it is given. */
function filled(
  env: Readonly<Record<string, string>>,
  given: Readonly<Record<string, Value>> = {},
): Record<string, string> {
  const { args } = withSigner({ fn: SIGN, args: new Map(Object.entries(given)) }, env);
  return Object.fromEntries(
    [...args].map(([name, value]) => [name, value.kind === "address" ? value.address : value.kind]),
  );
}

test("hands_on_key_and_tokens_by_name_and_never_their_values", () => {
  const found = filled(ENV);
  assert.equal(found, {
    key: "env://COSIGN_PRIVATE_KEY",
    keyPassword: "env://COSIGN_PASSWORD",
    requestToken: "env://ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    requestUrl: "literal",
  });
  assert.not.match(JSON.stringify(found), "canary");
  assert.equal(filled({}), {});
});

test("takes_no_other_signer_than_the_one_that_a_flag_names", () => {
  const address = (of: string): Value => ({
    kind: "address",
    type: "Secret",
    address: of,
    ignore: [],
  });
  assert.equal(filled(ENV, { identityToken: address("file:t") }), {
    identityToken: "file:t",
    keyPassword: "env://COSIGN_PASSWORD",
  });
  assert.equal(filled(ENV, { keyReference: { kind: "literal", text: '"k8s://a/b"' } }), {
    keyReference: "literal",
    keyPassword: "env://COSIGN_PASSWORD",
  });
  assert.is(filled(ENV, { key: address("file:k") }).key, "file:k");
});

test("hands_on_an_empty_key_so_that_it_is_told", () => {
  assert.equal(filled({ COSIGN_PRIVATE_KEY: "" }), { key: "env://COSIGN_PRIVATE_KEY" });
});

test.run();
