/** OCI JSON, as far as the engine reads or writes it. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

export interface ImageConfig {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  OnBuild?: string[];
  Shell?: string[];
  Healthcheck?: {
    Test?: string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    StartInterval?: number;
    Retries?: number;
  };
  [key: string]: unknown;
}

export interface History {
  created?: string;
  created_by?: string;
  comment?: string;
  author?: string;
  empty_layer?: boolean;
}

/** The image's config blob, without `rootfs`, which the export fills in. */
export interface OciImageConfig {
  created?: string;
  author?: string;
  os: string;
  architecture: string;
  variant?: string;
  config?: ImageConfig;
  history?: History[];
}

export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

export interface ImageRef {
  /** As given a host, e.g. `docker.io`, `127.0.0.1:5000`. */
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
  /** Full spelling: `docker.io/library/python:3.12` or with `@sha256:...`. */
  canonical: string;
}

export interface Credentials {
  username: string;
  password: string;
}

export interface RegistryOptions {
  /** Registry host, or host/prefix → base URL that stands in for it, e.g. `{"docker.io": "http://127.0.0.1:5417"}`. */
  mirrors?: Record<string, string>;
  /** Credentials of a registry host. */
  credentials?: (registry: string) => Credentials | undefined;
}

/** One platform's image, to be pushed or written to an archive. */
export interface ImageVariant {
  snapshot: { readonly layers: readonly string[] };
  config: OciImageConfig;
  annotations?: Record<string, string>;
}

export interface ExportSettings {
  compression?: "gzip" | "none";
  mediaTypes?: "oci" | "docker";
  signal?: AbortSignal;
}

/** One repository, where requests for it go. */
export interface Repository {
  /** `https://host/v2/name/`. */
  readonly base: URL;
  /** Host that credentials are for. */
  readonly host: string;
  readonly actions: "pull" | "pull,push";
  /** As people write it. */
  readonly shown: string;
}
