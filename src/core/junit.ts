import { parseXml, XmlElement } from "@rgrove/parse-xml";
import type { TestTotals } from "./check.js";
import { clean } from "./text.js";

export interface TestCase {
  /** `tests.test_app.TestLogin::test_ok[x]` */
  readonly name: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "error" | "skipped";
  /** What the failure says first; empty when it passed. */
  readonly message: string;
  /** Where it failed, as far as the report says. */
  readonly file?: string;
  readonly line?: number;
}

export interface TestReport {
  readonly totals: TestTotals;
  readonly cases: readonly TestCase[];
}

/** Reads a JUnit report; undefined when the text is none: broken, cut short or something else. */
export function parseJUnit(xml: string): TestReport | undefined {
  const root = parse(xml);
  if (root?.name !== "testsuites" && root?.name !== "testsuite") return undefined;
  const cases = testCases(root).map(readCase);
  const count = (outcome: TestCase["outcome"]): number =>
    cases.filter((one) => one.outcome === outcome).length;
  return {
    cases,
    totals: {
      tests: cases.length,
      failed: count("failed"),
      errors: count("error"),
      skipped: count("skipped"),
      seconds: Math.round(cases.reduce((sum, one) => sum + one.seconds, 0) * 1000) / 1000,
    },
  };
}

/** The tests that took longest, longest first. */
export function slowestTests(
  cases: readonly TestCase[],
  count = 10,
): { name: string; seconds: number }[] {
  return [...cases]
    .filter((one) => one.seconds > 0)
    .sort((a, b) => b.seconds - a.seconds || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name, seconds }) => ({ name, seconds }));
}

function parse(xml: string): XmlElement | undefined {
  try {
    return parseXml(xml, { ignoreUndefinedEntities: true }).root ?? undefined;
  } catch {
    return undefined;
  }
}

function testCases(element: XmlElement): XmlElement[] {
  if (element.name === "testcase") return [element];
  return elements(element).flatMap(testCases);
}

function readCase(element: XmlElement): TestCase {
  const { attributes } = element;
  const children = elements(element);
  const find = (name: string): XmlElement | undefined =>
    children.find((child) => child.name === name);
  // pytest reports a test that fails and whose teardown breaks too with both children.
  const broken = find("failure") ?? find("error");
  const outcome = find("failure")
    ? "failed"
    : broken
      ? "error"
      : find("skipped")
        ? "skipped"
        : "passed";
  const message = broken?.attributes.message ?? "";
  const details = broken?.text ?? "";
  const seconds = Number(attributes.time);
  return {
    name: clean(
      [attributes.classname, attributes.name]
        .filter((part) => part !== undefined && part !== "")
        .join("::"),
    ),
    seconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 0,
    outcome,
    message: clean(message || details),
    ...(broken ? place(details, attributes) : {}),
  };
}

/** The last line of the project in the traceback (`tests/test_a.py:5: AssertionError`), else the test itself. */
function place(
  details: string,
  attributes: Readonly<Record<string, string>>,
): { file?: string; line?: number } {
  const steps = [...details.matchAll(/^([^\s/:][^:\n]*\.py):(\d+): /gm)];
  const last = steps.at(-1);
  if (last?.[1] !== undefined) return { file: last[1], line: Number(last[2]) };
  if (attributes.file === undefined) return {};
  // pytest counts the lines of xunit1 reports from 0.
  return { file: attributes.file, line: Number(attributes.line ?? 0) + 1 };
}

function elements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => child instanceof XmlElement);
}
