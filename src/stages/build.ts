import { dag, type Container, type Directory, type Platform } from "@dagger.io/dagger";

import { stageOf } from "../core/attestations/predicates.js";
import { SlipwayError } from "../core/errors.js";
import type { Project } from "../core/project/types.js";
import { pythonImage } from "../images.js";
import { EPOCH, pythonBase, withUv, withVersion, withVirtualEnvironment } from "./base.js";
import type { Context } from "./context.js";
import { exactRequirements, SOURCE } from "./dependencies.js";
import { imageLabels, type BuildFacts } from "./labels.js";
import { withInstalled } from "./requirements.js";

const DEPENDENCIES = "/venv";
const APPLICATION = "/app";

/** Removes the note in which uv keeps when the wheel was built, and its line in the list of files. */
const FORGET_WHEN =
  'cd "$1" && sed -i "/uv_cache\\.json,/d" ./*.dist-info/RECORD && rm -f ./*.dist-info/uv_cache.json';

/** Moves a folder to `/layer`, without uv's lock, and gives everything there one time. */
const LEVEL =
  'rm -f "$1/.lock" && mkdir -p "/layer$(dirname "$1")" && mv "$1" "/layer$1" && find /layer -exec touch -h -d "$2" {} +';

/** An image, and what it is made on. */
export interface Built {
  readonly image: Container;
  /** Base and dependencies, which an edit of the code leaves as they are; absent for a Dockerfile of one's own. */
  readonly below?: Container;
}

/**
 * The service's image: the Python base, what the running service needs, the service; three kinds of
 * layers, so that an edit of the code ships kilobytes. It runs as a user without privileges, needs
 * no writable file system, and holds neither uv nor a cache.
 *
 * @throws SlipwayError PROJECT when nothing says what the image is to run.
 */
export async function buildImage(
  context: Context,
  facts: BuildFacts,
  platform?: Platform,
): Promise<Built> {
  const { build } = context.config;
  const built =
    build.dockerfile === undefined
      ? await serviceImage(context, platform)
      : {
          image: context.source.dockerBuild({
            dockerfile: build.dockerfile,
            ...(build.target === undefined ? {} : { target: build.target }),
            ...(platform === undefined ? {} : { platform }),
          }),
        };
  const image = Object.entries(imageLabels(context, facts)).reduce(
    (each, [name, value]) => each.withLabel(name, value),
    built.image,
  );
  return { ...built, image };
}

async function serviceImage(context: Context, platform?: Platform): Promise<Built> {
  const { config, project } = context;
  const { build } = config;
  const program = entrypoint(context);
  const base = withDebianPackages(
    dag
      .container(platform === undefined ? {} : { platform })
      .from(pythonImage(project.python.version, config.images)),
    build.packages,
  );
  if (platform !== undefined) await refuseOther(platform, base);
  const builder = withVirtualEnvironment(pythonBase(context, platform), DEPENDENCIES, context)
    // Byte code depends on the order of sets.
    .withEnvVariable("PYTHONHASHSEED", "0");
  const dependencies = await installedDependencies(builder, context);
  const below = Object.entries(imageEnvironment(config))
    .reduce((each, [name, value]) => each.withEnvVariable(name, value), base)
    .withDirectory("/", dependencies);
  const image = below
    .withDirectory("/", installedApplication(builder, context))
    .withWorkdir(APPLICATION)
    .withUser(`${build.user}:${build.user}`)
    .withExposedPort(build.port)
    .withEntrypoint(program)
    .withDefaultArgs(build.command);
  if (build.healthcheck === false) return { image, below };
  const command = healthcheckCommand(build.healthcheck, build.port);
  const times = { interval: "10s", timeout: "3s", startPeriod: "20s", retries: 3 };
  return { image: image.withDockerHealthcheck(command, times), below };
}

/** What `uname -m` prints, by the platform's architecture. */
const MACHINES: Readonly<Record<string, RegExp>> = {
  amd64: /^x86_64$/,
  arm64: /^aarch64$/,
  arm: /^arm/,
  ppc64le: /^ppc64le$/,
  riscv64: /^riscv64$/,
  s390x: /^s390x$/,
};

/**
 * Engines take an image that is made for one platform whatever platform was asked for: the result
 * would say one thing and hold another.
 *
 * @throws SlipwayError PROJECT when the base's programs are of another architecture.
 */
async function refuseOther(platform: Platform, base: Container): Promise<void> {
  const [, architecture = ""] = platform.split("/");
  const machine = (await base.withExec(["uname", "-m"]).stdout()).trim();
  if (MACHINES[architecture]?.test(machine)) return;
  throw new SlipwayError(
    "PROJECT",
    `The Python image is not made for ${platform}: it runs as ${machine}. Configure one that is (images.python), or build for this platform alone.`,
  );
}

/**
 * A tree with one folder of a container, all of it as old as the epoch. In the container, because
 * Dagger's engine follows links when it sets times, and Python's lead out of the tree.
 */
function layer(container: Container, path: string): Directory {
  return container.withExec(["sh", "-c", LEVEL, "sh", path, `@${EPOCH}`]).directory("/layer");
}

/** The virtual environment with what the running service needs, and nothing of the service. */
async function installedDependencies(builder: Container, context: Context): Promise<Directory> {
  const { runtime } = await exactRequirements(context);
  return layer(withInstalled(builder, runtime, context), DEPENDENCIES);
}

/** The service as its build backend packs it, or its packages as they are when it has none. */
function installedApplication(builder: Container, context: Context): Directory {
  const { project, source } = context;
  const prepared = withVersion(builder, context)
    .withMountedDirectory(SOURCE, source)
    .withWorkdir(SOURCE);
  const installed = project.installable
    ? withUv(
        withUv(prepared, ["build", "--quiet", "--wheel", "--out-dir=/dist"], context),
        [
          "pip",
          "install",
          "--quiet",
          "--no-deps",
          // uv knows a wheel by its name: out of its cache would come the code before the edit.
          "--no-cache",
          "--no-index",
          "--find-links=/dist",
          `--target=${APPLICATION}`,
          project.name,
        ],
        context,
      ).withExec(["sh", "-c", FORGET_WHEN, "sh", APPLICATION])
    : prepared
        .withExec(["mkdir", APPLICATION])
        .withExec(["cp", "-R", ...codePaths(project), APPLICATION])
        .withExec([
          "python3",
          "-m",
          "compileall",
          "-q",
          "--invalidation-mode=unchecked-hash",
          APPLICATION,
        ]);
  return layer(installed, APPLICATION);
}

/** Folders and modules that make up the code of a project without a build backend. */
function codePaths({ layout }: Project): string[] {
  return layout.kind === "src" ? ["src/."] : [...layout.source];
}

/** What the image runs: as configured, else the only script, else the package itself. */
export function entrypoint({ config, project }: Pick<Context, "config" | "project">): string[] {
  if (config.build.entrypoint) return [...config.build.entrypoint];
  const [script, ...others] = project.scripts;
  if (script !== undefined && others.length === 0) return [script];
  const [name] = project.layout.packages;
  if (name !== undefined) return ["python", "-m", name];
  throw new SlipwayError(
    "PROJECT",
    `Nothing says what the image of ${project.name} runs: the project has no package and ${others.length > 0 ? "several scripts" : "no script"}. Set build.entrypoint in [tool.slipway].`,
  );
}

/** A probe that needs nothing but Python: it fails on any status of 400 and above. */
export function healthcheckCommand(path: string, port: number): string[] {
  const url = JSON.stringify(`http://127.0.0.1:${port}${path}`);
  return ["python", "-c", `import urllib.request as r; r.urlopen(${url}, timeout=2)`];
}

/** Environment of the running service. */
function imageEnvironment({ build, model }: Context["config"]): Record<string, string> {
  return {
    PATH: `${APPLICATION}/bin:${DEPENDENCIES}/bin:/usr/local/bin:/usr/bin:/bin`,
    PYTHONPATH: APPLICATION,
    PYTHONUNBUFFERED: "1",
    // The byte code is in the image, and the file system may be read-only.
    PYTHONDONTWRITEBYTECODE: "1",
    // The user has no entry in /etc/passwd: these answer those who would look there.
    USER: "service",
    HOME: "/tmp",
    PORT: String(build.port),
    ...(model.enabled && {
      MODEL_REGISTRY_NAME: model.name,
      MODEL_STAGE: stageOf(model),
      ...(model.version === undefined ? {} : { MODEL_VERSION: model.version }),
    }),
  };
}

/** Debian packages at their newest: the one part of an image that two days may build differently. */
function withDebianPackages(base: Container, packages: readonly string[]): Container {
  if (packages.length === 0) return base;
  const script = [
    "apt-get update -q",
    'apt-get install -q -y --no-install-recommends "$@"',
    "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*",
  ].join(" && ");
  return base
    .withEnvVariable("DEBIAN_FRONTEND", "noninteractive")
    .withExec(["sh", "-c", script, "sh", ...packages])
    .withoutEnvVariable("DEBIAN_FRONTEND");
}
