import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Pages, seriousFindings } from "./browser.js";
import { fullReport, HOSTILE, largeReport, page as pageOf } from "./reports.js";

const test = suite("the report's page");
let pages: Pages;

test.before(async () => {
  pages = await Pages.start();
});
test.after(async () => {
  await pages.close();
});

test("shows_what_report_json_says_and_asks_the_network_for_nothing", async () => {
  const report = fullReport();
  const { page, trouble } = await pages.open(pageOf(report));
  const text = async (selector: string): Promise<string> =>
    await page.locator(selector).innerText();
  assert.match(await text(".verdict"), "1 check passed, 2 failed, 1 skipped");
  assert.match(await text(".tiles"), /findings\s+4/);
  for (const { name, reason } of report.checks) {
    assert.match(await text("#checks"), name);
    if (reason !== undefined) assert.match(await text("#checks"), reason);
  }
  assert.match(await text("#timeline"), "The end waited for test → build.");
  assert.is(await page.locator("#timeline .track .bar.cached").count(), 1);
  assert.is(await page.locator("#timeline .track .bar.critical").count(), 2);
  assert.match(await text("#tests"), "7.25 s");
  assert.match(await text("#coverage"), "src/low.py");
  assert.match(await text("#coverage"), "12.5 %");
  assert.match(await text("#findings"), "Remove unused import: `os`");
  assert.match(await text("#findings tbody tr:first-child"), "CVE-2026-0001");
  assert.match(await text("#packages"), "libc6");
  assert.match(await text("#evidence"), "SLSA build level 1");
  assert.match(await text("#evidence pre"), "cosign verify --key");
  assert.equal(trouble, []);
});

test("runs_nothing_that_a_report_says", async () => {
  const { page, trouble } = await pages.open(pageOf(fullReport(), fullReport({ checks: [] })));
  assert.is(await page.evaluate("window.broken"), undefined);
  assert.is(await page.locator("img").count(), 0);
  assert.is(await page.locator("a[href^=javascript]").count(), 0);
  assert.match(await page.locator("h1").innerText(), HOSTILE);
  assert.match(await page.title(), HOSTILE);
  assert.equal(trouble, []);
});

test("finds_filters_and_sorts_findings", async () => {
  const { page } = await pages.open(pageOf(largeReport(120)));
  const status = page.locator("#findings .count");
  assert.is(await status.innerText(), "121 findings");
  await page.keyboard.press("/");
  await page.keyboard.type("finding module_77");
  assert.is(await status.innerText(), "1 of 121 findings");
  assert.match(await page.locator("#findings tbody").innerText(), "finding number 77");
  await page.locator("#findings input").fill("there is no such thing");
  assert.match(await page.locator("#findings tbody").innerText(), "No findings match.");
  await page.locator("#findings input").fill("");
  await page.locator("#findings .chip[data-value=critical]").click();
  assert.is(await status.innerText(), "1 of 121 findings");
  await page.locator("#findings .chip[data-value='']").click();
  await page.locator("#findings select").selectOption("scan");
  assert.match(await page.locator("#findings tbody").innerText(), "CVE-2026-0001");
  await page.locator("#findings select").selectOption("");
  await page.locator("#findings th", { hasText: "Where" }).getByRole("button").click();
  assert.match(await page.locator("#findings tbody tr").first().innerText(), "jinja2 2.10");
});

test("turns_pages_by_keyboard_alone", async () => {
  const { page } = await pages.open(pageOf(largeReport(120)));
  await page.getByRole("button", { name: "Next" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assert.is(await page.locator("#findings .pager span").innerText(), "101–121 of 121");
  await page.keyboard.press("Enter");
  assert.is(
    await page.locator("#findings tbody tr").count(),
    21,
    "there is no page after the last",
  );
  await page.getByRole("button", { name: "Previous" }).focus();
  await page.keyboard.press("Space");
  assert.is(await page.locator("#findings .pager span").innerText(), "51–100 of 121");
});

test("says_what_changed_since_the_run_before", async () => {
  const report = fullReport();
  const [lint, ...rest] = report.checks;
  if (!lint) throw new Error("the report has no checks");
  const previous = {
    ...report,
    checks: [{ ...lint, state: "PASSED" as const, findings: [] }, ...rest],
  };
  const { page } = await pages.open(pageOf(report, previous));
  assert.match(await page.locator("#changes .lead").innerText(), "2 findings new");
  assert.is(await page.locator("#findings .mark.new").count(), 2);
  const { page: without } = await pages.open(pageOf(report));
  assert.is(await without.locator("#changes").count(), 0);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [360, 1280]) {
    test(`is_accessible_and_fits_in_${colorScheme}_at_${width}_pixels`, async () => {
      const viewport = { width, height: 800 };
      const html = pageOf(fullReport(), largeReport(3));
      const { page } = await pages.open(html, { colorScheme, viewport, bypassCSP: true });
      assert.equal(await seriousFindings(page), []);
      const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
      assert.ok(wide <= width, `the page is ${wide} pixels wide`);
    });
  }
}

test("prints_every_finding_in_light_colours_and_nothing_to_press", async () => {
  // As wide as a sheet of A4 within its margins.
  const viewport = { width: 718, height: 1000 };
  const { page } = await pages.open(pageOf(largeReport(120)), { viewport, colorScheme: "dark" });
  const rows = page.locator("#findings tbody tr");
  const dark = await page.evaluate<string>("getComputedStyle(document.body).color");
  assert.is(await rows.count(), 50);
  // Another page is on the screen; paper has them all, from the first.
  await page.locator("#findings .pager button").last().click();
  await page.emulateMedia({ media: "print" });
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  assert.is(await rows.count(), 121);
  assert.is(await page.locator(":is(button, input):visible:not(th button)").count(), 0);
  assert.is.not(await page.evaluate<string>("getComputedStyle(document.body).color"), dark);
  const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
  assert.ok(wide <= viewport.width, `the page is ${wide} pixels wide`);
  const sheets = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type \/Page\b/g);
  assert.ok((sheets?.length ?? 0) > 2, "the findings take several sheets");
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  assert.is(await rows.count(), 50);
});

test("shows_ten_thousand_findings_a_page_at_a_time_and_soon", async () => {
  const { page } = await pages.open(pageOf(largeReport(10_000)));
  assert.is(await page.locator("#findings .count").innerText(), "10,001 findings");
  assert.is(await page.locator("#findings tbody tr").count(), 50);
  // The browser tells of a paint after the frame in which it was: on a busy machine that is later.
  const painted = await page.waitForFunction(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime",
  );
  const paint = (await painted.jsonValue()) as number;
  console.log(`first paint with 10,000 findings: ${Math.round(paint)} ms`);
  // Far above what is measured on an idle machine: other work beside the test must not fail it.
  assert.ok(paint < 10_000, `${paint} ms`);
});

test.run();
