import { dag, type Container, type Secret, type Service } from "@dagger.io/dagger";

import { cosignImage, k6Image, kubectlImage, pythonImage, trivyImage } from "../images.js";
import type { Context } from "./context.js";
import { SCRIPTS, scripts } from "./scripts.js";

/**
 * Under this name containers reach the registry on the caller's machine. What ends so is spoken to
 * by plain http, without a flag (go-containerregistry, which cosign and trivy use).
 */
export const REGISTRY_ALIAS = "registry.localhost";

const LOOPBACK = /^(127(?:\.\d{1,3}){3}|localhost)(?=:\d+\/)/;

/** Where each program is in its image. */
const PROGRAMS = {
  cosign: { image: cosignImage, path: "/ko-app/cosign" },
  k6: { image: k6Image, path: "/usr/bin/k6" },
  kubectl: { image: kubectlImage, path: "/bin/kubectl" },
  trivy: { image: trivyImage, path: "/usr/local/bin/trivy" },
} as const;

/** What the helpers import. */
const IMPORTED = [
  ...["argparse", "concurrent.futures", "datetime", "hashlib", "http.server", "importlib", "json"],
  ...["pathlib", "re", "subprocess", "threading", "urllib.request"],
];

/**
 * Makes byte code, once ahead of all helpers: Docker's Python images come without, so each execution would
 * compile it (two helpers start in 0.47 s without it, and in 0.11 s with it). The scripts' is not compared with them.
 */
const COMPILE = `import ${IMPORTED.join(", ")}, compileall, py_compile
compileall.compile_dir("${SCRIPTS}", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)`;

/** Who may read and write a repository. */
export interface Login {
  readonly username: string;
  readonly password: Secret;
}

/** What a program may need of the outside. */
interface Reach {
  /** A registry on the caller's own loopback, which no container reaches by that name. */
  readonly registry?: Service | undefined;
  readonly login?: Login | undefined;
  /** Any reference in the registry that the login is for. */
  readonly reference?: string | undefined;
}

/** The Python image, with the scripts and programs in it. */
export function withProgram(
  { config, project }: Pick<Context, "config" | "project">,
  ...names: (keyof typeof PROGRAMS)[]
): Container {
  const base = dag
    .container()
    .from(pythonImage(project.python.version, config.images))
    .withDirectory(SCRIPTS, scripts())
    .withExec(["python3", "-c", COMPILE])
    .withEnvVariable("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    .withEnvVariable("HOME", "/tmp");
  return names.reduce((container, name) => {
    const { image, path } = PROGRAMS[name];
    const program = dag.container().from(image(config.images)).file(path);
    return container.withMountedFile(`/usr/local/bin/${name}`, program);
  }, base);
}

/** A container that reaches the registry, with the login where there is one. */
export async function withRegistry(
  container: Container,
  { registry, login, reference = "" }: Reach,
): Promise<Container> {
  const bound = registry ? container.withServiceBinding(REGISTRY_ALIAS, registry) : container;
  if (!login) return bound;
  const host = within({ registry }, reference).split("/")[0] ?? "";
  const { username, password } = login;
  const auths = { [accountOf(host)]: { username, password: await password.plaintext() } };
  // Named by its registry: one secret is not taken for another's.
  const config = dag.setSecret(`docker-config-${host}`, JSON.stringify({ auths }));
  return bound
    .withMountedSecret("/run/docker/config.json", config)
    .withEnvVariable("DOCKER_CONFIG", "/run/docker");
}

/** Under which key a docker config has the login for a registry: Docker Hub's is older than its name. */
function accountOf(host: string): string {
  return /^(index\.)?docker\.io$/.test(host) ? "https://index.docker.io/v1/" : host;
}

/** A reference as a container has to spell it: the caller's loopback has another name there. */
export function within({ registry }: Pick<Reach, "registry">, reference: string): string {
  return registry ? reference.replace(LOOPBACK, REGISTRY_ALIAS) : reference;
}
