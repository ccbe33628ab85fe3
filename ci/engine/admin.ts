import { cacheFolder, engineOptions } from "./options.js";
import { doctor, type Check } from "./exec/doctor.js";
import { mirrorUrl } from "./images/client.js";
import { Http } from "./images/http.js";
import { Store } from "./store/store.js";

/**
 * What is asked of the embedded engine while it does not run: `status`, `prune [all|BYTES]` or
 * `doctor`. The answer is JSON on standard output.
 */
async function main([what = "", argument]: readonly string[]): Promise<unknown> {
  const { root, budgetBytes, mirrors } = engineOptions();
  if (what === "doctor") {
    const checks = await Promise.all([doctor(root), registries(mirrors)]);
    return { cache: cacheFolder(), checks: checks.flat() };
  }
  const store = await Store.open(root, budgetBytes ? { budgetBytes } : {});
  try {
    if (what === "status") return await store.status();
    if (what !== "prune") throw new Error(`unknown request ${JSON.stringify(what)}`);
    const toBytes = Number(argument);
    return await store.prune(
      argument === "all" ? { all: true } : Number.isFinite(toBytes) ? { toBytes } : {},
    );
  } finally {
    await store.close();
  }
}

const ANSWER_MS = 5000;

/** Whether the mirrors answer, and Docker Hub where no mirror stands in for it. */
async function registries(mirrors: Readonly<Record<string, string>>): Promise<Check[]> {
  const table = { "docker.io": "https://registry-1.docker.io", ...mirrors };
  const http = new Http(0);
  const checks = Object.entries(table).map(async ([host, url]) => {
    const detail = await http
      .send(new URL("/v2/", mirrorUrl(url)), { signal: AbortSignal.timeout(ANSWER_MS) })
      .then(
        async ({ statusCode, body }) => {
          await body.dump();
          return `${url} answers ${statusCode}`;
        },
        (error: unknown) => `${url}: ${(error as Error).message || "no answer"}`,
      );
    // 401 asks for a token: the registry is there.
    const ok = /answers (200|401)$/.test(detail);
    const fix =
      "check the network and the proxy, or name a mirror: SLIPWAY_MIRRORS=docker.io=http://127.0.0.1:5417";
    return { name: `images of ${host}`, ok, detail, fix: ok ? "" : fix, required: false };
  });
  const found = await Promise.all(checks);
  await http.close();
  return found;
}

main(process.argv.slice(2)).then(
  (answer) => {
    console.log(JSON.stringify(answer));
  },
  (error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 3;
  },
);
