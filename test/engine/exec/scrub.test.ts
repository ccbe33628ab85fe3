import { test } from "uvu";
import * as assert from "uvu/assert";
import { Scrubber } from "../../../ci/engine/exec/scrub.js";

function scrub(secrets: string[], chunks: string[]): string {
  const scrubber = new Scrubber(secrets.map((secret) => Buffer.from(secret)));
  const out = chunks.map((chunk) => scrubber.push(Buffer.from(chunk)).toString("latin1"));
  return out.join("") + scrubber.end().toString("latin1");
}

test("replaces every occurrence", () => {
  assert.is(scrub(["hunter2"], ["a hunter2, b hunter2hunter2"]), "a ***, b ******");
});

test("finds a secret wherever the stream is cut", () => {
  const text = "before hunter2 hunter after";
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      assert.is(
        scrub(["hunter2"], chunks),
        "before *** hunter after",
        `cut at ${first}, ${second}`,
      );
    }
  }
});

test("the longest of several secrets wins, wherever the stream is cut", () => {
  const secrets = ["token", "token-with-more", "en-with"];
  const text = "token-with-more token-with token";
  for (let cut = 0; cut <= text.length; cut++) {
    const out = scrub(secrets, [text.slice(0, cut), text.slice(cut)]);
    assert.is(out, "*** ***-with ***", `cut at ${cut}`);
  }
});

test("keeps what only begins like a secret", () => {
  assert.is(scrub(["aab"], ["aa", "aa", "c", "aa"]), "aaaacaa");
});

test("hides a secret also without the newline at its end", () => {
  assert.is(scrub(["s3cr3t\n"], ["x=s3cr3t;"]), "x=***;");
});

test("hides the lines of a long secret, but not lines that any text has", () => {
  const key = "-----BEGIN KEY-----\n{\nMIIEvQIBADANBgkq\n}\n-----END KEY-----\n";
  assert.is(scrub([key], ["  MIIEvQIBADANBgkq\n{}\n"]), "  ***\n{}\n");
  assert.is(scrub([key], [key]), "***");
});

test("bytes that are not text pass unchanged", () => {
  const scrubber = new Scrubber([Buffer.from([0xff, 0x00, 0xfe])]);
  const out = Buffer.concat([
    scrubber.push(Buffer.from([1, 0xff])),
    scrubber.push(Buffer.from([0x00, 0xfe, 0xff, 2])),
    scrubber.end(),
  ]);
  assert.equal([...out], [1, 0x2a, 0x2a, 0x2a, 0xff, 2]);
});

test("an empty secret hides nothing", () => {
  assert.is(scrub(["", " \n"], ["a \nb"]), "a***b");
  assert.is(scrub([""], ["abc"]), "abc");
});

test("shows at once what cannot be part of a secret", () => {
  const scrubber = new Scrubber([Buffer.from("hunter2")]);
  assert.is(scrubber.push(Buffer.from("ready hun")).toString(), "ready ");
  assert.is(scrubber.push(Buffer.from("gry")).toString(), "hungry");
});

test.run();
