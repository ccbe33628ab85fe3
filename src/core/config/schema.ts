import * as z from "zod";
import { parseShard } from "../shard.js";
import { analysis } from "./analysis.js";
import { deploy } from "./deploy.js";
import { ignoredAdvisory, scan, sign, verify } from "./evidence.js";
import { httpUrl, imageReference, paths, pythonVersion, relativePath, seconds } from "./fields.js";
import { model } from "./model.js";

const enabled = (check: string) =>
  z.boolean().default(true).describe(`Run ${check}. Switched off, it is reported as SKIPPED`);
const args = (tool: string) =>
  z.array(z.string()).default([]).describe(`Further arguments for ${tool}, after Slipway's own`);
const level = z.enum(["low", "medium", "high"]);

const python = z.strictObject({
  version: pythonVersion
    .optional()
    .describe(
      "Python to use. Default: `.python-version`, then what `requires-python` and the classifiers allow",
    ),
  groups: z
    .array(z.string())
    .optional()
    .describe(
      "Dependency groups, extras or Poetry groups that hold what the checks need. Default: those of test, tests, dev that exist",
    ),
  extras: z.array(z.string()).default([]).describe("Extras of the project that the image needs"),
});

const project = z.strictObject({
  source: paths
    .optional()
    .describe("Folders with the code. Default: `src`, else the packages found"),
  tests: paths.optional().describe("Folders with the tests. Default: `tests`, else `test`"),
});

const lint = z.strictObject({
  enabled: enabled("ruff check"),
  paths: paths.default(["."]).describe("What to lint"),
  args: args("ruff check"),
});

const format = z.strictObject({
  enabled: enabled("ruff format --check"),
  paths: paths.default(["."]).describe("What to check the formatting of"),
});

const types = z.strictObject({
  enabled: enabled("mypy"),
  paths: paths
    .optional()
    .describe("What to check. Default: mypy's own `files`, else source and tests"),
  strict: z
    .boolean()
    .optional()
    .describe("Force `--strict`. Default: as mypy's configuration says"),
  args: args("mypy"),
});

const coverage = z.strictObject({
  enabled: z.boolean().default(true).describe("Measure coverage"),
  minimum: z
    .number("expected a percentage from 0 to 100")
    .min(0, "expected a percentage from 0 to 100")
    .max(100, "expected a percentage from 0 to 100")
    .default(0)
    .describe("Fail below this percentage"),
});

const test = z.strictObject({
  enabled: enabled("pytest"),
  workers: z
    .union([z.enum(["auto", "logical"]), z.int().min(0).max(512)], {
      error: "expected auto, logical or a number of workers from 0 to 512",
    })
    .default("auto")
    .describe("pytest-xdist workers: `auto` is one a core, `0` is serial"),
  distribution: z
    .enum(["load", "worksteal", "loadscope", "loadfile", "loadgroup"])
    .default("load")
    .describe("How pytest-xdist hands out tests"),
  paths: paths
    .default([])
    .describe("Test files or folders to run. Default: pytest's `testpaths`, else project.tests"),
  markers: z
    .string()
    .default("")
    .describe("Marker expression (`-m`), such as `not slow`; one that no test has is an error"),
  args: args("pytest"),
  shard: z
    .string()
    .refine((text) => parseShard(text) !== undefined, "expected i/n such as 1/4, i from 1 to n")
    .optional()
    .describe(
      "Run part i of n of the tests, for matrix jobs; a part without tests is skipped while others have some",
    ),
  timeout: seconds
    .default(1800)
    .describe("Seconds until a test run is stopped and counted as failed"),
  coverage: coverage.prefault({}),
});

const bandit = z.strictObject({
  enabled: enabled("bandit"),
  paths: paths.optional().describe("What to examine. Default: project.source"),
  severity: level.default("low").describe("Findings below this severity are left out"),
  confidence: level.default("low").describe("Findings below this confidence are left out"),
  skips: z
    .array(z.string().regex(/^B\d{3}$/, "expected a bandit test id such as B101"))
    .default([])
    .describe("Bandit tests to leave out"),
});

const audit = z.strictObject({
  enabled: enabled("pip-audit"),
  advisories: httpUrl
    .optional()
    .describe("Base URL of a mirror of the OSV advisories. Default: the public service"),
  ignore: z
    .array(ignoredAdvisory)
    .default([])
    .describe("Advisories that do not matter here: tables of `id`, `reason`, `expires`"),
});

const safety = z.strictObject({ enabled: enabled("safety") });

// Of a string, a union tells what its one option says; of all else, what it says itself.
const HEALTHCHECK = "expected a path such as /healthz, or false";

const build = z.strictObject({
  dockerfile: relativePath
    .optional()
    .describe("The project's own Dockerfile. Default: none; Slipway makes the image"),
  target: z.string().min(1).optional().describe("Stage of the Dockerfile"),
  entrypoint: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "What the image runs. Default: the project's only script, else `python -m <package>`",
    ),
  command: z.array(z.string()).default([]).describe("Arguments of the entrypoint"),
  port: z.int().min(1).max(65_535).default(8000).describe("Port that the service listens on"),
  user: z
    .int()
    .min(1, "expected a user id other than root's 0")
    .max(4_294_967_294)
    .default(10_001)
    .describe("User and group id of the service"),
  healthcheck: z
    .union([z.literal(false), z.string().regex(/^\/\S*$/, HEALTHCHECK)], { error: HEALTHCHECK })
    .default("/healthz")
    .describe("HTTP path that answers when the service is well; `false` for none"),
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "expected a Debian package name"))
    .default([])
    .describe("Debian packages that the service needs at run time"),
  labels: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe("Labels besides `org.opencontainers.image.*`"),
  platforms: z
    .array(
      z.string().regex(/^linux\/[a-z0-9]+(\/v\d)?$/, "expected a platform such as linux/amd64"),
    )
    .default([])
    .describe("Platforms to build for. Default: the engine's own"),
});

/** What a registry takes as a tag (OCI distribution). */
export const IMAGE_TAG = /^\w[\w.-]{0,127}$/;

const publish = z.strictObject({
  registry: z
    .string()
    .regex(/^[a-z0-9.-]+(:\d+)?$/i, "expected a registry's host[:port]")
    .optional()
    .describe("Registry to publish to"),
  repository: z
    .string()
    .regex(
      /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/,
      "expected a repository such as team/service, in lower case",
    )
    .optional()
    .describe("Repository in the registry. Default: the project's name"),
  tags: z
    .array(z.string().regex(IMAGE_TAG, "expected an image tag"))
    .default([])
    .describe("Tags to publish. Default: the project's version"),
  overwrite: z
    .boolean()
    .default(false)
    .describe("Let a release tag (v1.2.3) be overwritten with other content"),
  scan: z
    .boolean()
    .default(true)
    .describe(
      "Scan before `publish` pushes, and push nothing that the scan stops; `release` always does",
    ),
});

const images = z.strictObject({
  python: imageReference
    .optional()
    .describe(
      "Python base image; `{version}` stands for the Python version. Default: Slipway's table",
    ),
  uv: imageReference.optional().describe("Image that holds uv. Default: Slipway's table"),
  trivy: imageReference.optional().describe("Image that holds trivy. Default: Slipway's table"),
  cosign: imageReference.optional().describe("Image that holds cosign. Default: Slipway's table"),
  kubectl: imageReference.optional().describe("Image that holds kubectl. Default: Slipway's table"),
  k3s: imageReference.optional().describe("Image of k3s, for `demo`. Default: Slipway's table"),
  k6: imageReference.optional().describe("Image that holds k6. Default: Slipway's table"),
});

const index = z.strictObject({
  url: httpUrl.optional().describe("Package index in place of the public one"),
  extra: z.array(httpUrl).default([]).describe("Further package indexes"),
});

const timeouts = z.strictObject({
  install: seconds.default(900).describe("Seconds for the installation of the dependencies"),
  check: seconds.default(600).describe("Seconds for one check, other than the tests"),
  build: seconds.default(1200).describe("Seconds to build the service itself (its wheel)"),
});

/**
 * `[tool.slipway]`. Strict: a key that is not here is a mistake, never ignored. Every key is
 * optional; the defaults are those of a FastAPI service in the `src` layout.
 */
export const configSchema = z.strictObject({
  project: project.prefault({}).describe("Where the code is"),
  python: python.prefault({}).describe("The interpreter and what is installed"),
  index: index
    .prefault({})
    .describe(
      "Where packages come from. What poetry.lock has from an index of its own comes from there. Each index has to be readable without credentials",
    ),
  lint: lint.prefault({}).describe("ruff check"),
  format: format.prefault({}).describe("ruff format"),
  types: types.prefault({}).describe("mypy"),
  test: test.prefault({}).describe("pytest"),
  bandit: bandit.prefault({}).describe("Insecure code"),
  audit: audit.prefault({}).describe("Dependencies with advisories (pip-audit)"),
  safety: safety.prefault({}).describe("Dependencies with advisories (safety; needs a key)"),
  build: build.prefault({}).describe("The image"),
  publish: publish.prefault({}).describe("Where the image goes"),
  scan: scan.prefault({}).describe("Vulnerabilities, secrets and licenses in the image (trivy)"),
  sign: sign.prefault({}).describe("Who signs, beside what the caller gives"),
  verify: verify.prefault({}).describe("What an image must prove before its tags are given to it"),
  model: model.prefault({}).describe("The model that the service loads"),
  deploy: deploy.prefault({}).describe("How the service comes to a Kubernetes cluster"),
  analysis: analysis.prefault({}).describe("How a canary is judged"),
  images: images
    .prefault({})
    .describe("Other images in place of Slipway's, for mirrors and air-gapped sites"),
  timeouts: timeouts.prefault({}).describe("How long things may take"),
});

/** The configuration with every default filled in. */
export type Config = z.infer<typeof configSchema>;
