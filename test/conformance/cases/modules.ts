import assert from "node:assert/strict";

import { topic } from "../case.js";
import { callProbe as call } from "../probe.js";
import { QueryError } from "../session.js";

const calls = topic(
  "modules",
  {
    answer_with_defaults_and_with_arguments: async (_dag, t) => {
      assert.equal(await call(t, "greet"), "Hello, world!");
      assert.equal(await call(t, `greet(name: "you", times: 2)`), "Hello, you!Hello, you!");
      assert.equal(await call(t, `greet(loud: true)`), "HELLO, WORLD!");
    },
    take_arguments_of_the_constructor: async (_dag, t) => {
      await t.module();
      const answer = await t.query(`{ probe(prefix: "Bye") { greet prefix reveal } }`);
      assert.deepEqual(answer, {
        probe: { greet: "Bye, world!", prefix: "Bye", reveal: "kept from Bye" },
      });
    },
    hide_fields_that_are_not_exposed: async (_dag, t) => {
      await t.module();
      await t.expectError(() => t.query(`{ probe { hidden } }`), /hidden/);
    },
    take_no_value_for_an_optional_argument: async (_dag, t) => {
      assert.equal(await call(t, "maybe"), "nobody");
      assert.equal(await call(t, `maybe(name: "some")`), "some");
    },
    refuse_a_call_without_a_required_argument: async (_dag, t) => {
      await t.module();
      await t.expectError(() => t.query(`{ probe { sort } }`), /words/);
    },
    refuse_an_argument_of_another_type: async (_dag, t) => {
      await t.module();
      await t.expectError(() => t.query(`{ probe { greet(times: "x") } }`), /times|Int/);
    },
    fail_with_a_fraction_as_an_integer: async (_dag, t) => {
      assert.equal(await call(t, `half(value: 4)`), 2);
      await t.expectError(() => call(t, `half(value: 3)`), /1\.5/);
    },
    refuse_an_unknown_function_by_name: async (_dag, t) => {
      await t.module();
      await t.expectError(() => t.query(`{ probe { gret } }`), /gret/);
    },
    take_and_give_lists: async (_dag, t) => {
      assert.deepEqual(await call(t, `sort(words: ["b", "a", "c"])`), ["a", "b", "c"]);
      assert.deepEqual(await call(t, `sort(words: [])`), []);
    },
    take_and_give_enums: async (_dag, t) => {
      await t.module();
      const volume = (
        await t.query<{ __type: { enumValues: { name: string }[] } }>(
          `{ __type(name: "ProbeVolume") { enumValues { name } } }`,
        )
      ).__type.enumValues.map(({ name }) => name);
      assert.deepEqual(volume.map((name) => name.toUpperCase()).sort(), ["LOUD", "QUIET"]);
      const loud = volume.find((name) => name.toUpperCase() === "LOUD") ?? "";
      const quiet = volume.find((name) => name.toUpperCase() === "QUIET") ?? "";
      assert.equal(await call(t, "speak"), loud);
      assert.equal(await call(t, `speak(volume: ${loud})`), quiet);
      await t.expectError(() => call(t, `speak(volume: DEAFENING)`), /DEAFENING/);
    },
    chain_through_objects_with_state: async (_dag, t) => {
      const answer = await call(t, `counter(start: 5) { add(by: 2) { add { value } } }`);
      assert.deepEqual(answer, { add: { add: { value: 8 } } });
    },
    give_lists_of_objects: async (_dag, t) => {
      const answer = await call(t, `counters(count: 3) { value add(by: 10) { value } }`);
      assert.deepEqual(answer, [
        { value: 0, add: { value: 10 } },
        { value: 1, add: { value: 11 } },
        { value: 2, add: { value: 12 } },
      ]);
    },
    take_lists_of_their_objects_by_id: async (_dag, t) => {
      const list = await call<{ id: string }[]>(t, `counters(count: 4) { id }`);
      const quoted = list.map(({ id }) => JSON.stringify(id)).join(", ");
      assert.equal(await call(t, `sum(counters: [${quoted}])`), 6);
    },
    give_nothing: async (_dag, t) => {
      assert.equal(await call(t, "nothing"), null);
    },
    take_a_directory: async (dag, t) => {
      const id = await dag.directory().withNewFile("a", "").withNewFile("b", "").id();
      assert.deepEqual(await call(t, `listing(source: $id)`, { id }), ["a", "b"]);
    },
    find_a_default_path_beside_the_module_and_ignore_what_they_say: async (_dag, t) => {
      assert.equal(await call(t, "note"), "note.txt: from the module's folder");
    },
    give_core_objects_to_chain_from: async (_dag, t) => {
      const answer = await call(t, `packed(text: "x") { file(path: "packed") { contents } }`);
      assert.deepEqual(answer, { file: { contents: "x" } });
      assert.deepEqual(await call(t, `written(text: "y") { name contents }`), {
        name: "written",
        contents: "y",
      });
      assert.deepEqual(
        await call(t, `box(text: "z") { withExec(args: ["cat", "/text"]) { stdout } }`),
        { withExec: { stdout: "z" } },
      );
    },
    take_and_give_secrets: async (dag, t) => {
      const id = await dag.setSecret(t.unique(), "twelve chars").id();
      assert.equal(await call(t, `length(secret: $id)`, { id }), 12);
      const value = t.unique("value");
      const answer = await call<{ plaintext: string }>(t, `token(value: "${value}") { plaintext }`);
      assert.equal(answer.plaintext, value);
    },
    give_services_to_bind: async (dag, t) => {
      const text = t.unique();
      const { id } = await call<{ id: string }>(t, `web(text: "${text}") { id }`);
      const service = dag.loadServiceFromID(id as Parameters<typeof dag.loadServiceFromID>[0]);
      const ran = t
        .fresh()
        .withServiceBinding("www", service)
        .withExec(["wget", "-qO-", "http://www/"]);
      assert.equal(await ran.stdout(), text);
    },
    fail_with_the_message_that_was_thrown: async (_dag, t) => {
      const message = t.unique("planned");
      await t.expectError(() => call(t, `fail(message: "${message}")`), new RegExp(message));
    },
    fail_with_the_exit_code_of_an_exec_inside: async (_dag, t) => {
      await t.module();
      const error = await t.expectError(() => t.query(`{ probe { failExec(code: 21) } }`), /./);
      assert.ok(error instanceof QueryError);
      assert.equal(error.extensions._type, "EXEC_ERROR");
      assert.equal(error.extensions.exitCode, 21);
      assert.match(String(error.extensions.stdout), /said/);
    },
    answer_calls_at_once: async (_dag, t) => {
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => call<string>(t, `greet(name: "${String(i)}")`)),
      );
      assert.deepEqual(
        answers,
        ["0", "1", "2", "3", "4", "5"].map((i) => `Hello, ${i}!`),
      );
    },
    give_ids_that_bring_their_objects_back: async (_dag, t) => {
      const { id } = await call<{ id: string }>(t, `counter(start: 41) { id }`);
      const back = `{ __typename ... on ProbeCounter { value } }`;
      assert.deepEqual(await t.query(`query ($id: ID!) { node(id: $id) ${back} }`, { id }), {
        node: { __typename: "ProbeCounter", value: 41 },
      });
      const load = `query ($id: ProbeCounterID!) { loadProbeCounterFromID(id: $id) { value } }`;
      assert.deepEqual(await t.query(load, { id }), { loadProbeCounterFromID: { value: 41 } });
    },
  },
  { module: true },
);

const caching = topic(
  "modules",
  {
    run_a_function_once_by_default: async (_dag, t) => {
      const random = `random(salt: "${t.unique()}")`;
      assert.equal(await call(t, random), await call(t, random));
    },
    run_a_function_again_for_another_argument: async (_dag, t) => {
      const [a, b] = [
        await call(t, `random(salt: "${t.unique()}")`),
        await call(t, `random(salt: "${t.unique()}")`),
      ];
      assert.notEqual(a, b);
    },
    run_a_function_every_time_when_it_is_never_cached: async (_dag, t) => {
      const random = `randomNever(salt: "${t.unique()}")`;
      assert.notEqual(await call(t, random), await call(t, random));
    },
    run_a_function_once_a_session_when_it_says_so: async (_dag, t) => {
      const random = `randomSession(salt: "${t.unique()}")`;
      assert.equal(await call(t, random), await call(t, random));
    },
    run_a_function_once_within_its_time_to_live: async (_dag, t) => {
      const random = `randomTtl(salt: "${t.unique()}")`;
      assert.equal(await call(t, random), await call(t, random));
    },
  },
  { module: true },
);

export const modules = [...calls, ...caching];
