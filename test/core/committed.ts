import { readFileSync, writeFileSync } from "node:fs";
import * as assert from "uvu/assert";

/** Compares a committed file's text with the generated one; UPDATE_DOCS=1 writes it instead. */
export function committed(path: URL, generate: (current: string) => string): void {
  let current = "";
  try {
    current = readFileSync(path, "utf8");
  } catch (error) {
    if (process.env.UPDATE_DOCS !== "1") throw error;
  }
  const wanted = generate(current);
  if (process.env.UPDATE_DOCS === "1") writeFileSync(path, wanted);
  else
    assert.fixture(
      current,
      wanted,
      `${path.pathname} is out of date: run the tests with UPDATE_DOCS=1`,
    );
}
