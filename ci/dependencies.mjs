/**
 * Installs the npm packages of package-lock.json unless exactly these are installed already.
 * Plain JavaScript without imports of packages: it runs when there are none yet.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Path in node_modules → version, as a lock file of npm has it. */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {};
}

/** Whether a locked package is missing, in another version, or gone from the disk. */
function isStale() {
  const installed = packagesOf(join(root, "node_modules", ".package-lock.json"));
  return Object.entries(packagesOf(join(root, "package-lock.json"))).some(
    ([path, { version, optional, link }]) =>
      path !== "" &&
      !optional &&
      !link &&
      (installed[path]?.version !== version || !existsSync(join(root, path, "package.json"))),
  );
}

if (isStale()) {
  console.log("npm ci");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (npm.error) console.error(`npm does not start: ${npm.error.message}`);
  if (npm.status !== 0) {
    console.error("npm ci failed; package-lock.json says what it needs of the registry.");
    process.exit(3);
  }
}
