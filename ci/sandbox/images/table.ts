import type { Architecture } from "../architecture.js";
import { TOOLS } from "../tools.js";
import type { Wheel } from "../wheels.js";

/** What a started container gets, as in the official image that is stood in for. */
interface Defaults {
  env?: Record<string, string>;
  cmd?: string[];
  entrypoint?: string[];
  workdir?: string;
}

interface Common {
  /** Name in its registry, e.g. `library/python`. */
  name: string;
  /** The first is the one it is known by, the others are the same image. */
  tags: [string, ...string[]];
  defaults: Defaults;
}

/** A Debian root file system with packages in it. */
export interface DebianImage extends Common {
  from: "debian";
  suite: string;
  packages: string[];
}

/** busybox and links to it from every applet, for two platforms. */
export interface BusyboxImage extends Common {
  from: "busybox";
  suite: string;
  platforms: Architecture[];
}

/** Programs of a wheel, at the top of an otherwise empty root. */
export interface WheelImage extends Common, Wheel {
  from: "wheel";
  programs: string[];
}

/** One program that the sandbox builds, where the official image has it. */
export interface ProgramImage extends Common {
  from: "program";
  tool: "cosign" | "k6" | "kubectl" | "pause" | "trivy";
  /** Path in the image, without a leading slash. */
  path: string;
}

/** Kubernetes of one node, all of it in one image: a Debian root, and above it the programs. */
export interface NodeImage extends Common {
  from: "node";
  suite: string;
  packages: string[];
}

export type ImageSpec = DebianImage | BusyboxImage | WheelImage | ProgramImage | NodeImage;

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The official image's interpreter is built from source; this one is Debian's. */
function python(version: string, suite: string): DebianImage {
  return {
    from: "debian",
    name: "library/python",
    tags: [`${version}-slim`, `${version}-slim-${suite}`],
    suite,
    packages: ["ca-certificates", "python3", "python3-pip", "python3-venv"],
    defaults: { env: { PATH, LANG: "C.UTF-8" }, cmd: ["python3"] },
  };
}

function program(tool: ProgramImage["tool"], name: string, tag: string, path: string): ImageSpec {
  return {
    from: "program",
    name,
    tags: [tag],
    tool,
    path,
    defaults: { env: { PATH }, entrypoint: [`/${path}`] },
  };
}

const UV = "0.13.9";

/** The first process of each pod of a cluster. */
export const PAUSE = program("pause", "pause", "3.10.1", "pause");

/** Every stand-in image of the sandbox, under the name it has in its own registry. */
export const IMAGES: ImageSpec[] = [
  python("3.11", "bookworm"),
  python("3.13", "trixie"),
  {
    from: "debian",
    name: "library/debian",
    tags: ["bookworm-slim", "12-slim"],
    suite: "bookworm",
    packages: [],
    defaults: { env: { PATH }, cmd: ["bash"] },
  },
  {
    from: "busybox",
    name: "library/busybox",
    tags: ["stable", "latest"],
    suite: "bookworm",
    platforms: ["amd64", "arm64"],
    defaults: { env: { PATH }, cmd: ["sh"] },
  },
  {
    from: "wheel",
    name: "astral/uv",
    tags: [UV],
    package: "uv",
    version: UV,
    programs: ["uv", "uvx"],
    wheels: {
      amd64: {
        platform: "musllinux_1_1_x86_64",
        sha256: "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
      },
      arm64: {
        platform: "musllinux_1_1_aarch64",
        sha256: "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
      },
    },
    defaults: { env: { PATH }, entrypoint: ["/uv"], workdir: "/io" },
  },
  program("cosign", "sigstore/cosign/cosign", TOOLS.cosign.version, "ko-app/cosign"),
  program("k6", "grafana/k6", TOOLS.k6.version.slice(1), "usr/bin/k6"),
  program("kubectl", "kubectl", TOOLS.kubectl.version, "bin/kubectl"),
  PAUSE,
  program("trivy", "aquasec/trivy", TOOLS.trivy.version.slice(1), "usr/local/bin/trivy"),
];

/** Only the demo of the module itself needs it, and it is large: whoever needs it makes sure of it. */
export const K3S: NodeImage = {
  from: "node",
  name: "rancher/k3s",
  tags: ["v1.34.6-k3s1"],
  suite: "bookworm",
  packages: ["containerd", "containernetworking-plugins", "iproute2", "jq", "nftables", "openssl"],
  defaults: { env: { PATH }, entrypoint: ["/bin/k3s"], cmd: ["agent"] },
};

/** The name with its first tag, e.g. `library/python:3.11-slim`. */
export function title(image: ImageSpec): string {
  return `${image.name}:${image.tags[0]}`;
}
