import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { cachePath } from "./cache.js";
import { Layout } from "./images/oci.js";
import { run, start } from "./run.js";
import { ensureTool } from "./tools.js";

const HOUR = 3_600_000;
const OWN = fileURLToPath(new URL("advisories", import.meta.url));

/** Under this name trivy's own database is known, in whatever registry. */
const REPOSITORY = "aquasec/trivy-db:2";

/** What a database says of itself. */
export interface DatabaseOptions {
  /** When it was made. @default now */
  readonly updatedAt?: Date;
}

/**
 * Writes a vulnerability database for trivy, `trivy.db` and `metadata.json`, from the sandbox's own
 * advisories. It knows those few packages and no other.
 */
export async function makeDatabase(folder: string, options: DatabaseOptions = {}): Promise<void> {
  const { updatedAt = new Date() } = options;
  const program = await ensureTool("database");
  const files = await Promise.all(
    [OWN, join(OWN, "debian")].map(async (path) =>
      (await readdir(path))
        .filter((name) => name.endsWith(".json"))
        .map((name) => join(path, name)),
    ),
  );
  await run(program, [folder, ...files.flat()]);
  const metadata = {
    Version: 2,
    NextUpdate: new Date(updatedAt.getTime() + 24 * HOUR).toISOString(),
    UpdatedAt: updatedAt.toISOString(),
    DownloadedAt: updatedAt.toISOString(),
  };
  await writeFile(join(folder, "metadata.json"), JSON.stringify(metadata));
}

/**
 * Makes a database and pushes it to a registry as the artifact that trivy downloads.
 *
 * @param registry `host:port`, plain http.
 * @returns the reference for `scan.database`.
 */
export async function pushDatabase(
  registry: string,
  options: DatabaseOptions = {},
): Promise<string> {
  const folder = cachePath("build", `${process.pid}-database-${process.hrtime.bigint()}`);
  try {
    await makeDatabase(join(folder, "db"), options);
    await mkdir(join(folder, "layout"), { recursive: true });
    const layout = new Layout(join(folder, "layout"));
    const tar = start("tar", ["--create", "--directory", join(folder, "db"), "."]);
    const layer = await layout.addLayer(tar.stdout);
    await tar.done;
    await layout.finish(
      await layout.addArtifact("application/vnd.aquasec.trivy.config.v1+json", {
        ...layer,
        mediaType: "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip",
        annotations: { "org.opencontainers.image.title": "db.tar.gz" },
      }),
    );
    const reference = `${registry}/${REPOSITORY}`;
    await run(await ensureTool("crane"), ["push", layout.folder, reference]);
    return reference;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
