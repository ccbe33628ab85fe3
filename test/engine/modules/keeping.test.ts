import { suite } from "uvu";
import * as assert from "uvu/assert";

import { keepsResults } from "../../../ci/engine/modules/keeping.js";

const test = suite("keeping");

test("keeps_results_of_modules_made_for_a_version_that_does", () => {
  for (const engineVersion of ["v0.19.4", "0.19.4", "v0.19.10", "v0.21.8", "v1", "latest"])
    assert.ok(keepsResults({ engineVersion }), engineVersion);
  assert.ok(keepsResults({ engineVersion: "v0.19.4-250101-dev-abc" }));
});

test("keeps_no_results_of_modules_made_for_an_older_or_unknown_version", () => {
  for (const engineVersion of ["v0.19.3", "v0.9.11", "v0.19", "0.3.0", "main", ""])
    assert.not(keepsResults({ engineVersion }), engineVersion);
  assert.not(keepsResults({}));
});

test("follows_what_the_module_says_itself", () => {
  assert.ok(keepsResults({ engineVersion: "v0.12.0", disableDefaultFunctionCaching: false }));
  assert.not(keepsResults({ engineVersion: "v0.21.8", disableDefaultFunctionCaching: true }));
});

test.run();
