import { dag, type Container, type Platform } from "@dagger.io/dagger";

import { UNKNOWN_VERSION } from "../core/project/version.js";
import { pythonImage, uvImage } from "../images.js";
import type { Context } from "./context.js";

const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const UV_CACHE = "/cache/uv";

/** 1980-01-01, the oldest time that zip files know; everything in an image gets it. */
export const EPOCH = 315_532_800;

/**
 * The Python image with uv, its cache, and the settings that make installations quiet and
 * repeatable. Nothing of the project is in it.
 */
export function pythonBase({ config, project }: Context, platform?: Platform): Container {
  const empty = dag.container(platform === undefined ? {} : { platform });
  const uv = empty.from(uvImage(config.images)).file("/uv");
  const settings: Record<string, string> = {
    // An engine puts the authorities that its host trusts into the system's bundle.
    SSL_CERT_FILE: CA_BUNDLE,
    REQUESTS_CA_BUNDLE: CA_BUNDLE,
    PIP_CERT: CA_BUNDLE,
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUNBUFFERED: "1",
    NO_COLOR: "1",
    UV_CACHE_DIR: UV_CACHE,
    UV_LINK_MODE: "copy",
    UV_NO_PROGRESS: "1",
    UV_PYTHON_DOWNLOADS: "never",
    UV_PYTHON_PREFERENCE: "only-system",
    // Byte code is compiled once, when packages are installed, and is valid whatever the file's
    // time says: a copy into an image levels the times.
    UV_COMPILE_BYTECODE: "1",
    PYC_INVALIDATION_MODE: "UNCHECKED_HASH",
    SOURCE_DATE_EPOCH: String(EPOCH),
    ...indexSettings(config.index),
  };
  return Object.entries(settings)
    .reduce(
      (container, [name, value]) => container.withEnvVariable(name, value),
      empty.from(pythonImage(project.python.version, config.images)),
    )
    .withMountedFile("/usr/local/bin/uv", uv)
    .withMountedCache(UV_CACHE, dag.cacheVolume("slipway-uv"));
}

/** Package indexes, for uv and for what runs pip. */
function indexSettings(index: Context["config"]["index"]): Record<string, string> {
  return {
    ...(index.url === undefined ? {} : { UV_DEFAULT_INDEX: index.url, PIP_INDEX_URL: index.url }),
    ...(index.extra.length === 0
      ? {}
      : { UV_INDEX: index.extra.join(" "), PIP_EXTRA_INDEX_URL: index.extra.join(" ") }),
  };
}

/**
 * Runs uv for at most as long as the configuration allows: to build the service's wheel, or to install.
 *
 * The result is an ordinary step: its failure is an ExecError whose stderr says which package.
 */
export function withUv(
  container: Container,
  args: readonly string[],
  { config }: Pick<Context, "config">,
): Container {
  const { build, install } = config.timeouts;
  return container.withExec([
    "timeout",
    String(args[0] === "build" ? build : install),
    "uv",
    ...args,
  ]);
}

/**
 * A virtual environment at `path`, first on the PATH. It fails in an image that holds another
 * version of Python than the project is checked and built with.
 */
export function withVirtualEnvironment(
  container: Container,
  path: string,
  { project }: Pick<Context, "project">,
): Container {
  return container
    .withExec(["uv", "venv", "--quiet", "--python", project.python.version, path])
    .withEnvVariable("VIRTUAL_ENV", path)
    .withEnvVariable(
      "PATH",
      `${path}/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin`,
    );
}

/** Tells backends that ask git for the version what it is: there is no `.git` in the source. */
export function withVersion(
  container: Container,
  { project }: Pick<Context, "project">,
): Container {
  const version = project.version === UNKNOWN_VERSION ? "0.0.0" : project.version;
  return [
    "SETUPTOOLS_SCM_PRETEND_VERSION",
    "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "PDM_BUILD_SCM_VERSION",
    "UV_DYNAMIC_VERSIONING_BYPASS",
  ].reduce((each, name) => each.withEnvVariable(name, version), container);
}
