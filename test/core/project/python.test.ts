import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  choosePython,
  DEFAULT_PYTHON,
  SUPPORTED_PYTHONS,
} from "../../../src/core/project/python.js";
import { allowsMinor, allowsVersion } from "../../../src/core/project/specifier.js";
import { raises } from "../raises.js";

const test = suite("choosePython");
const nothing = { configured: undefined, pinFile: undefined, requires: undefined };
const newest = SUPPORTED_PYTHONS.at(-1) ?? "";

test("takes_the_default_else_the_newest_that_the_project_allows", () => {
  const chosen = (requires: string): string => choosePython({ ...nothing, requires }).version;
  assert.is(chosen(">=3.11,<3.14"), "3.13");
  assert.is(chosen("^3.11"), DEFAULT_PYTHON);
  assert.is(chosen(">=3.9"), DEFAULT_PYTHON);
  assert.is(chosen(`>=${newest}`), newest);
  assert.is(chosen("~3.12"), "3.12");
  assert.is(chosen("~=3.11.2"), "3.11");
  assert.is(chosen("==3.12.*"), "3.12");
  assert.is(chosen("3.11.*"), "3.11");
  assert.is(chosen(">=3.10,!=3.14.*,!=3.13.*"), "3.12");
  assert.is(chosen(">=2.7,<3 || >=3.10,<3.12"), "3.11");
  assert.is(choosePython(nothing).version, DEFAULT_PYTHON);
});

test("takes_the_newest_of_the_classifiers_that_the_project_allows", () => {
  const classifiers = ["3", "3.9", "3.11", "3.12", "3 :: Only", "Implementation :: CPython"].map(
    (name) => `Programming Language :: Python :: ${name}`,
  );
  const chosen = (requires: string): string =>
    choosePython({ ...nothing, requires, classifiers }).version;
  assert.is(chosen(">=3.9"), "3.12");
  assert.is(chosen(">=3.9,<3.12"), "3.11");
  assert.is(chosen(`>=${newest}`), newest);
  const old = ["Programming Language :: Python :: 3.9"];
  assert.is(choosePython({ ...nothing, classifiers: old }).version, DEFAULT_PYTHON);
  const next = [`Programming Language :: Python :: ${newest}`];
  assert.is(choosePython({ ...nothing, classifiers: next }).version, newest);
  assert.is(choosePython({ ...nothing, configured: "3.11", classifiers }).version, "3.11");
});

test("prefers_configuration_then_the_pin_file", () => {
  const wish = { configured: "3.11", pinFile: "# ours\ncpython-3.12.4\n", requires: ">=3.10" };
  assert.is(choosePython(wish).version, "3.11");
  assert.is(choosePython({ ...wish, configured: undefined }).version, "3.12.4");
  assert.is(
    choosePython({ ...wish, configured: undefined, pinFile: "\n" }).version,
    DEFAULT_PYTHON,
  );
});

test("refuses_what_it_does_not_run", () => {
  const message = raises("PROJECT", () => choosePython({ ...nothing, requires: "<3.8" }));
  assert.match(message, /Python <3\.8, and Slipway runs 3\.10, /);
  assert.match(
    raises("PROJECT", () => choosePython({ ...nothing, configured: "3.7" })),
    "python.version asks for Python 3.7",
  );
  assert.match(
    raises("PROJECT", () => choosePython({ ...nothing, pinFile: "2.7" })),
    ".python-version asks for Python 2.7",
  );
  assert.match(
    raises("PROJECT", () => choosePython({ ...nothing, pinFile: "pypy3.10" })),
    "cannot use",
  );
  assert.match(
    raises("PROJECT", () => choosePython({ ...nothing, requires: "new enough" })),
    "cannot be read",
  );
});

test("refuses_sources_that_contradict_each_other", () => {
  const message = raises("PROJECT", () =>
    choosePython({ ...nothing, pinFile: "3.10", requires: ">=3.11" }),
  );
  assert.match(message, '.python-version asks for Python 3.10, but requires-python is ">=3.11"');
  raises("PROJECT", () => choosePython({ ...nothing, pinFile: "3.11.1", requires: ">=3.11.2" }));
});

test("compares_versions_number_by_number", () => {
  assert.is(allowsMinor(">=3.9", "3.10"), true);
  assert.is(allowsMinor(">3.12", "3.12"), true);
  assert.is(allowsMinor("<3.12", "3.12"), false);
  assert.is(allowsMinor("<=3.12", "3.12"), true);
  assert.is(allowsMinor("===3.12.3", "3.12"), true);
  assert.is(allowsVersion("^0.2.3", "0.2.9"), true);
  assert.is(allowsVersion("^0.2.3", "0.3.0"), false);
  assert.is(allowsVersion("~=1.4.5", "1.5.0"), false);
  assert.is(allowsMinor(">=3.x", "3.12"), undefined);
});

test.run();
