import { suite } from "uvu";
import * as assert from "uvu/assert";
import { draw, isStyle, type PlannedStep } from "../../ci/cli/plan.js";
import { ofForm } from "../forms.js";

const test = suite("cli/plan");

const step = (digest: string, name: string, after: string[] = [], cached = false): PlannedStep => ({
  digest,
  name,
  after,
  cached,
});

const DIAMOND = [
  step("a", "from python:3.13-slim"),
  step("b", "exec uv venv /venv", ["a"], true),
  step("c", 'exec ruff "check"', ["b"]),
  step("d", "exec pytest\n-q", ["b", "a"]),
];

test("shows results first, what they need below, and repeats no branch", () => {
  assert.is(
    draw(DIAMOND, "tree"),
    [
      'exec ruff "check"',
      "└─ exec uv venv /venv (cached)",
      "   └─ from python:3.13-slim",
      "exec pytest -q",
      "├─ exec uv venv /venv (cached) (see above)",
      "└─ from python:3.13-slim",
      "",
    ].join("\n"),
  );
});

test("draws an arrow for each need in a Mermaid diagram, with names that cannot break it", () => {
  const text = draw(DIAMOND, "mermaid");
  assert.match(text, /^flowchart LR\n/);
  assert.match(text, /s2\["exec ruff #quot;check#quot;"\]/);
  assert.equal(text.match(/-->/g)?.length, 4);
  assert.match(text, /s0 --> s1/);
});

test("gives the steps with their needs as JSON", () => {
  assert.equal(ofForm("plan", draw(DIAMOND, "json")), DIAMOND);
});

test("cuts a long command to a line", () => {
  const [line = ""] = draw([step("a", `exec ${"x".repeat(500)}`)], "tree").split("\n");
  assert.ok(line.length <= 100);
  assert.match(line, /…$/);
});

test("knows its styles only", () => {
  assert.ok(isStyle("tree"));
  assert.not.ok(isStyle("dot"));
});

test.run();
