/** An image that the stages are made of. */
interface Image {
  /** Reference with a tag; `{version}` stands for the Python version. */
  readonly reference: string;
  /** What it is used for. */
  readonly use: string;
}

/**
 * Every image, by the key of `[tool.slipway] images` that replaces it.
 *
 * By tag, without a digest, and on purpose: these tags are rebuilt when their base has a security
 * fix, and a digest that is written down here would hold the fixes back until somebody edits this
 * file. (Public sources agree on some digests of older tags, on none of today's.) A site that wants
 * an exact image, or has its own mirror, configures it: `images.python = "mirror.example/python:{version}-slim@sha256:…"`.
 */
const IMAGES = {
  python: {
    reference: "docker.io/library/python:{version}-slim",
    use: "Base of every stage, and of the service's image",
  },
  trivy: {
    reference: "docker.io/aquasec/trivy:0.73.0",
    use: "Scans images; only the program is taken",
  },
  cosign: {
    reference: "ghcr.io/sigstore/cosign/cosign:v3.1.3",
    use: "Signs and verifies; only the program is taken",
  },
  kubectl: {
    reference: "registry.k8s.io/kubectl:v1.34.4",
    use: "Talks to a Kubernetes cluster, of version 1.33 to 1.35; only the program is taken",
  },
  k6: {
    reference: "docker.io/grafana/k6:1.8.1",
    use: "Makes the requests of an analysis; only the program is taken",
  },
  k3s: {
    reference: "docker.io/rancher/k3s:v1.34.6-k3s1",
    use: "Cluster of `demo`",
  },
  uv: {
    reference: "docker.io/astral/uv:0.13.9",
    use: "Installs packages; only the file /uv is taken",
  },
} as const satisfies Record<string, Image>;

/** References that the configuration puts in place of the table's. */
type ImageOverrides = { readonly [Name in keyof typeof IMAGES]?: string | undefined };

/** Reference of the Python base image for a version such as `3.12`. */
export function pythonImage(version: string, overrides: ImageOverrides): string {
  return (overrides.python ?? IMAGES.python.reference).replaceAll("{version}", version);
}

/** Reference of the image that holds uv. */
export function uvImage(overrides: ImageOverrides): string {
  return overrides.uv ?? IMAGES.uv.reference;
}

/** Reference of the image that holds trivy. */
export function trivyImage(overrides: ImageOverrides): string {
  return overrides.trivy ?? IMAGES.trivy.reference;
}

/** Reference of the image that holds cosign. */
export function cosignImage(overrides: ImageOverrides): string {
  return overrides.cosign ?? IMAGES.cosign.reference;
}

/** Reference of the image that holds kubectl. */
export function kubectlImage(overrides: ImageOverrides): string {
  return overrides.kubectl ?? IMAGES.kubectl.reference;
}

/** Reference of the image that holds k6. */
export function k6Image(overrides: ImageOverrides): string {
  return overrides.k6 ?? IMAGES.k6.reference;
}

/** Reference of the image that holds k3s. */
export function k3sImage(overrides: ImageOverrides): string {
  return overrides.k3s ?? IMAGES.k3s.reference;
}
