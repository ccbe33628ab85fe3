import { readFile } from "node:fs/promises";
import { reportPage } from "../../src/core/report/page.js";
import type { Report } from "../../src/core/report/report.js";

const TEMPLATE = new URL("../../src/core/report/page.html", import.meta.url);

/** report.html of a report, with what changed since an earlier one. */
export async function pageWith(report: Report, previous?: Report): Promise<string> {
  return reportPage(await readFile(TEMPLATE, "utf8"), report, previous);
}
