import { writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium, type Browser } from "playwright-core";

import { makeReport, type Report } from "../../src/core/report/report.js";
import { pageWith } from "../cli/page.js";
import { atMost, median, megabytes, shown, timed, type Section } from "./measure.js";

/** report.html with very many findings, from opening it until there is something to read. */
export async function firstPaint(
  scratch: string,
  findings: number,
  times: number,
): Promise<Section> {
  const html = await pageWith(reportOf(findings));
  await mkdir(scratch, { recursive: true });
  const file = join(scratch, "report.html");
  await writeFile(file, html);
  const address = pathToFileURL(file).href;
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // As root Chromium has no sandbox; what it opens here is our own.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    await opened(browser, address);
    const paints: number[] = [];
    const searches: number[] = [];
    for (let index = 0; index < times; index++) {
      const { paint, search } = await opened(browser, address);
      paints.push(paint);
      searches.push(search);
    }
    return {
      title: `report.html with ${findings.toLocaleString("en")} findings`,
      how: `medians of ${times}, each in a new page of the system's Chromium, without a screen; first contentful paint as the browser itself measures it; a search from the key until the list has what was found`,
      rows: [
        { what: "size of the page", value: megabytes(Buffer.byteLength(html)) },
        atMost("first paint", median(paints), 1000),
        { what: "a search", value: shown(median(searches)) },
      ],
    };
  } finally {
    await browser.close();
  }
}

/** The page may be loaded before it is painted. */
const PAINTED = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries())
      if (name === "first-contentful-paint") resolve(startTime);
  }).observe({ type: "paint", buffered: true });
})`;

async function opened(
  browser: Browser,
  address: string,
): Promise<{ paint: number; search: number }> {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    const paint = await page.evaluate<number>(PAINTED);
    const search = await timed(async () => {
      await page.locator("#findings input").fill("module_77.py");
      await page.locator("#findings .count", { hasText: "1 of" }).waitFor();
    });
    return { paint, search };
  } finally {
    await page.close();
  }
}

function reportOf(count: number): Report {
  const findings = Array.from({ length: count }, (_, index) => ({
    ruleId: `R${index % 40}`,
    level: "warning" as const,
    message: `finding number ${index} of a rule that is explained in a sentence or two`,
    file: `src/package_${index % 97}/module_${index}.py`,
    line: index + 1,
    column: 5,
  }));
  const project = { name: "many", version: "1.0.0", kind: "poetry", python: "3.13" };
  const check = {
    name: "lint" as const,
    tool: "ruff",
    state: "FAILED" as const,
    reason: `${count} findings`,
    durationMs: 1000,
    findings,
  };
  return makeReport(project, new Date(), [check], [], {});
}
