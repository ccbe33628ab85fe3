import { suite } from "uvu";
import * as assert from "uvu/assert";

import { refusal } from "../../../src/core/delivery/refusal.js";

const test = suite("refusals of kubectl");

// As kubectl 1.34 and API server 1.34 said them.
for (const [name, stderr, told] of [
  [
    "who_owns_a_field",
    'error: Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas\nPlease review the fields above',
    /"kubectl-edit" sets \.spec\.replicas of the same objects; Slipway does not overwrite it/,
  ],
  [
    "who_owns_several_fields",
    'error: Apply failed with 2 conflicts: conflicts with "hpa" using apps/v1:\n- .spec.replicas\nconflicts with "helm" using apps/v1:\n- .spec.paused\n',
    /"hpa" sets \.spec\.replicas, "helm" sets \.spec\.paused/,
  ],
  [
    "that_credentials_are_not_accepted",
    "error: You must be logged in to the server (Unauthorized)",
    /does not accept the credentials any more.*slipway abort/,
  ],
  [
    "that_a_quota_is_full",
    'Error from server (Forbidden): pods "x" is forbidden: exceeded quota: filled, requested: pods=1',
    /quota has no room/,
  ],
  [
    "that_a_right_is_missing",
    'Error from server (Forbidden): leases.coordination.k8s.io "slipway-iris" is forbidden: User "u" cannot get',
    /may not do that\. `slipway validate`/,
  ],
  [
    "that_an_object_cannot_be_changed",
    'The Deployment "iris" is invalid: spec.selector: Invalid value: {}: field is immutable',
    /cannot be changed so.*deploy\.name/,
  ],
  [
    "that_the_server_is_away",
    "The connection to the server 198.18.0.1:6443 was refused - did you specify the right host or port?",
    /does not answer, however often/,
  ],
] as const)
  test(`says_${name}_and_what_to_do`, () => {
    const message = refusal("the canary was not applied", stderr);
    assert.match(message, /^the canary was not applied: /);
    assert.match(message, told);
    assert.match(message, /kubectl: /, "its own words are kept");
  });

test("keeps_the_words_of_what_nobody_foresaw", () => {
  assert.is(
    refusal("it was not applied", "error: the moon is full"),
    "it was not applied: error: the moon is full",
  );
});

test.run();
