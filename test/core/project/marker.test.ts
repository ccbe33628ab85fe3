import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  applyExtras,
  parseMarker,
  printMarker,
  type Marker,
} from "../../../src/core/project/marker.js";
import { generator, type Generator } from "../random.js";

const test = suite("markers");

test("prints_what_it_reads", () => {
  for (const text of [
    'python_version < "3.13"',
    "sys_platform == 'win32' and (os_name == 'nt' or platform_machine != 'arm64')",
    '"linux" in sys_platform or "bsd" not in sys_platform',
    'python_version >= "3.9" and python_version < "4" or implementation_name === "cpython"',
  ])
    assert.is(printMarker(parseMarker(text) ?? { kind: "never" }), text);
});

test("refuses_what_is_no_marker", () => {
  for (const text of [
    "",
    "python_version",
    "a == 'b' and",
    "(a == 'b'",
    "a == 'b')",
    "a = 'b'",
    "a == 'b' c",
    "a not 'b'",
  ])
    assert.is(parseMarker(text), undefined, text);
});

test("drops_what_extras_decide", () => {
  const apply = (text: string, ...extras: string[]): string => {
    const marker = applyExtras(parseMarker(text) ?? { kind: "never" }, extras);
    return marker.kind === "never" ? "never" : printMarker(marker) || "always";
  };
  assert.is(apply('extra == "x"'), "never");
  assert.is(apply('extra == "x"', "x"), "always");
  assert.is(apply('"x" == extra or a == "1"'), 'a == "1"');
  assert.is(apply('extra != "x" and a == "1"', "x"), "never");
  assert.is(apply('(extra == "x" or extra == "y") and a == "1"', "y"), 'a == "1"');
});

test("keeps_the_meaning_of_random_markers", () => {
  const random = generator(3);
  for (let round = 0; round < 500; round++) {
    const text = write(random, 4);
    const marker = parseMarker(text);
    assert.ok(marker, text);
    for (const extras of [[], ["x"], ["x", "y"]]) {
      const printed = printMarker(applyExtras(marker, extras));
      const again = printed === "" ? applyExtras(marker, extras) : parseMarker(printed);
      assert.ok(again);
      for (const a of ["0", "1"])
        for (const b of ["0", "1"]) {
          const values = { a, b };
          assert.is(
            evaluate(again, values, extras),
            evaluate(marker, values, extras),
            `${text} → ${printed}`,
          );
        }
    }
  }
});

function write(random: Generator, depth: number): string {
  if (depth === 0 || random.int(3) === 0)
    return random.pick([
      'a == "1"',
      'b == "1"',
      'a != "1"',
      'extra == "x"',
      '"y" == extra',
      'extra != "x"',
    ]);
  const joined = [write(random, depth - 1), write(random, depth - 1)].join(
    random.pick([" and ", " or "]),
  );
  return random.int(2) === 0 ? `(${joined})` : joined;
}

function evaluate(
  marker: Marker,
  values: Record<string, string>,
  extras: readonly string[],
): boolean {
  if (marker.kind === "and") return marker.parts.every((part) => evaluate(part, values, extras));
  if (marker.kind === "or") return marker.parts.some((part) => evaluate(part, values, extras));
  if (marker.kind !== "compare") return marker.kind === "always";
  const [name, literal] = marker.left.startsWith('"')
    ? [marker.right, marker.left]
    : [marker.left, marker.right];
  const value = literal.slice(1, -1);
  const same = name === "extra" ? extras.includes(value) : values[name] === value;
  return same === (marker.operator === "==");
}

test.run();
