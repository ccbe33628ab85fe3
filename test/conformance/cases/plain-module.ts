import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { topic } from "../case.js";

const PLAIN = fileURLToPath(new URL("../fixtures/plain", import.meta.url));

export const plainModule = topic("modules", {
  construct_an_object_without_a_constructor: async (dag, t) => {
    await dag.moduleSource(PLAIN).asModule().serve();
    const { plain } = await t.query<{ plain: Record<string, unknown> }>(
      `{ plain { own withGreeting(greeting: "bye") { own greeting } } }`,
    );
    // Without a constructor the SDK makes the object without its initial values.
    assert.deepEqual(plain, {
      own: "undefined undefined",
      withGreeting: { own: "bye undefined", greeting: "bye" },
    });
    const unset = await t.query(`{ plain { greeting times loud words maybe } }`);
    assert.deepEqual(unset, {
      plain: { greeting: "", times: 0, loud: false, words: [], maybe: "" },
    });
  },
});
