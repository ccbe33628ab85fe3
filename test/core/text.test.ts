import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  clean,
  columns,
  cutBytes,
  duration,
  fenced,
  lastLines,
  oneLine,
  plural,
} from "../../src/core/text.js";
import { generator } from "./random.js";

const test = suite("text");

test("removes_colours_titles_links_and_control_characters", () => {
  assert.is(clean("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007end\u0000\u0008"), "red end");
  assert.is(clean("\u001b]8;;https://x.example\u001b\\link\u001b]8;;\u001b\\"), "link");
  assert.is(clean("a\r\nb\rc\td"), "a\nb\nc\td");
  assert.is(clean("admin\u202e gpj.exe\u2066"), "admin gpj.exe");
  assert.is(clean("half \ud800 whole 🐍"), "half \ufffd whole 🐍");
});

test("keeps_nothing_dangerous_of_random_text", () => {
  const random = generator(5);
  for (let round = 0; round < 2000; round++) {
    const text = clean(random.text(60));
    assert.not.match(text, /[\0-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    assert.is(Buffer.from(text).toString(), text, "valid UTF-8");
    assert.is(clean(text), text, "cleaning twice changes nothing");
    assert.not.match(oneLine(text), /\n/);
  }
});

test("shortens_to_whole_letters", () => {
  assert.is(oneLine("  a \n\t b  "), "a b");
  assert.is(oneLine("🐍🐍🐍🐍", 3), "🐍🐍…");
  assert.is(oneLine("x".repeat(100), 100).length, 100);
});

test("cuts_bytes_between_letters_and_says_so", () => {
  assert.is(cutBytes("short", 5, "[cut]"), "short");
  assert.is(cutBytes("line one\nline two\n", 17, "[cut]"), "line one\n[cut]");
  const random = generator(9);
  for (let round = 0; round < 500; round++) {
    const limit = random.int(60);
    const whole = clean(random.text(80)) + "🐍".repeat(30);
    const text = cutBytes(whole, limit, "…");
    assert.ok(Buffer.byteLength(text) <= limit);
    assert.ok(whole.startsWith(text.replace(/…$/, "")), "only the end is missing");
  }
});

test("takes_100_megabytes_of_output", () => {
  const huge = "binary\0".repeat(15_000_000);
  assert.is(oneLine(huge, 10).length, 10);
  assert.ok(lastLines(huge).length < 2000);
});

test("keeps_the_last_lines_that_say_something", () => {
  assert.is(lastLines("a\n\nb\n \nc\n\n", 2), "b\nc");
});

test("measures_wide_letters_and_marks", () => {
  assert.is(columns("abc"), 3);
  assert.is(columns("日本🐍"), 6);
  assert.is(columns("e\u0301"), 1);
});

test("writes_times_and_numbers_for_people", () => {
  assert.equal([0.4, 850, 12_340, 59_960, 245_000].map(duration), [
    "0 ms",
    "850 ms",
    "12.3 s",
    "1 min 0 s",
    "4 min 5 s",
  ]);
  assert.equal(
    [plural(1, "test"), plural(0, "test"), plural(2, "advisory", "advisories")],
    ["1 test", "0 tests", "2 advisories"],
  );
});

test("ends_a_block_of_markdown_at_no_backticks_of_its_text", () => {
  assert.is(fenced("a\n"), "````text\na\n````\n");
  assert.is(fenced("`````\nb"), "``````text\n`````\nb\n``````\n");
});

test.run();
