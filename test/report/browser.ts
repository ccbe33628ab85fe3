import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { AxeResults } from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** A page in the system's Chromium, and what went wrong in it. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, and what the page asked the network for. */
  readonly trouble: string[];
}

/** The system's Chromium with a folder for pages. */
export class Pages {
  private constructor(
    private readonly browser: Browser,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Pages> {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    // As root Chromium has no sandbox; what it opens here is our own.
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new Pages(browser, await mkdtemp(join(tmpdir(), "slipway-page-")));
  }

  async open(html: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const file = join(this.folder, "report.html");
    await writeFile(file, html);
    const address = pathToFileURL(file).href;
    const page = await this.browser.newPage(options);
    const trouble: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) trouble.push(message.text());
    });
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (url !== address && !url.startsWith("data:")) trouble.push(`asked for ${url}`);
    });
    await page.goto(address);
    return { page, trouble };
  }

  async close(): Promise<void> {
    await this.browser.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What axe finds that is serious or worse: `color-contrast: .chip`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}
