import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import {
  PREDICATE_NAMES,
  PREDICATE_TYPES,
  type PredicateName,
} from "../../src/core/attestations/names.js";
import { ensureTool } from "../sandbox/tools.js";

/** As cosign calls them, which looks at the form of those it knows. */
const TYPES: Readonly<Record<PredicateName, string>> = {
  ...PREDICATE_TYPES,
  ...{ provenance: "slsaprovenance1", sbom: "cyclonedx", vulnerabilities: "vuln" },
};

/** Scan, bill of materials, push, signature, attestations and verification, as a person types them. */
export interface HandTools {
  /** What is run, for the reader. */
  readonly what: string;
  /** Runs all of it on an archive of an image. */
  run(image: string): Promise<void>;
}

/** Where things are that the commands need. */
export interface HandPlaces {
  /** A folder of its own. */
  readonly scratch: string;
  /** The keys are here: cosign.key, cosign.pub. */
  readonly keys: string;
  readonly password: string;
  /** trivy's database. */
  readonly database: string;
  /** `host:port/name`. */
  readonly repository: string;
  /** Statements of a release, as `slipway release -o` writes them: the same are attested. */
  readonly statements: string;
}

/** The programs, ready, with what is made once and not for every image. */
export async function handTools(places: HandPlaces): Promise<HandTools> {
  const { scratch, keys, password, database, repository } = places;
  const [trivy, cosign, crane] = await Promise.all([
    ensureTool("trivy"),
    ensureTool("cosign"),
    ensureTool("crane"),
  ]);
  const run = async (program: string, ...args: string[]): Promise<void> => {
    const env = { ...process.env, COSIGN_PASSWORD: password };
    await promisify(execFile)(program, args, { cwd: scratch, env, maxBuffer: 1 << 28 });
  };
  await made(scratch);
  const predicates = await predicatesOf(places);
  if (predicates.length !== PREDICATE_NAMES.length)
    throw new Error(`of a release there are only ${predicates.length} statements`);
  await run("cp", "-r", database, join(await made(join(scratch, "cache")), "db"));
  await run(cosign, "signing-config", "create", "--out", "signing-config.json");
  await run(cosign, "trusted-root", "create", "--out", "trusted-root.json");
  const layout = join(scratch, "layout");
  const signing = [
    ...[`--key=${join(keys, "cosign.key")}`, "--yes", "--allow-http-registry"],
    ...["--signing-config=signing-config.json", "--trusted-root=trusted-root.json"],
  ];
  const verifying = [
    `--key=${join(keys, "cosign.pub")}`,
    ...["--insecure-ignore-tlog=true", "--allow-http-registry"],
  ];
  return {
    what: "tar, trivy image twice, crane push, cosign sign, cosign attest five times, cosign verify, cosign verify-attestation five times, crane tag",
    run: async (image) => {
      await rm(layout, { recursive: true, force: true });
      await run("tar", "-xf", image, "-C", await made(layout));
      const look = ["image", ...OFFLINE, `--cache-dir=${join(scratch, "cache")}`];
      const from = ["--input", layout];
      const scan = ["--format=json", "--list-all-pkgs", "--scanners=vuln,secret"];
      await run(trivy, ...look, ...scan, "--output=scan.json", ...from);
      await run(trivy, ...look, "--format=cyclonedx", "--output=sbom.json", ...from);
      await run(crane, "push", "--insecure", layout, `${repository}:pushed`);
      const reference = `${repository}@${await digestIn(layout)}`;
      await run(cosign, "sign", ...signing, reference);
      for (const [name, file] of predicates)
        await run(
          cosign,
          ...["attest", `--type=${TYPES[name]}`],
          ...["--predicate", name === "sbom" ? "sbom.json" : file, ...signing, reference],
        );
      await run(cosign, "verify", "--output=json", ...verifying, reference);
      for (const name of PREDICATE_NAMES)
        await run(cosign, "verify-attestation", `--type=${TYPES[name]}`, ...verifying, reference);
      await run(crane, "tag", "--insecure", reference, "bench");
    },
  };
}

/** Those that Slipway runs trivy with. */
const OFFLINE = [
  ...["--quiet", "--skip-db-update", "--skip-java-db-update"],
  ...["--offline-scan", "--skip-version-check", "--disable-telemetry"],
];

/** The predicates of statements, each in a file of its own, by their names. */
async function predicatesOf({
  statements,
  scratch,
}: HandPlaces): Promise<[PredicateName, string][]> {
  const found: [PredicateName, string][] = [];
  for (const file of await readdir(statements)) {
    const name = PREDICATE_NAMES.find((each) => basename(file).startsWith(`${each}-`));
    if (name === undefined) continue;
    const { predicate } = JSON.parse(await readFile(join(statements, file), "utf8")) as {
      predicate: unknown;
    };
    const own = join(scratch, `${name}.json`);
    await writeFile(own, JSON.stringify(predicate));
    found.push([name, own]);
  }
  return found;
}

async function digestIn(layout: string): Promise<string> {
  const { manifests } = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as {
    manifests: readonly { digest: string }[];
  };
  return manifests[0]?.digest ?? "";
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
