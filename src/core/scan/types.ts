/** From the least to the gravest. */
export const SEVERITIES = ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What trivy found, before anything is decided. */
export interface Found {
  readonly kind: "vulnerability" | "secret" | "license" | "system";
  /** CVE or GHSA id, the secret's rule, the license, or what is wrong with the operating system. */
  readonly id: string;
  /** Other ids of the same vulnerability. */
  readonly aliases: readonly string[];
  readonly severity: Severity;
  /** Package, the file that a secret is in, or the distribution. */
  readonly subject: string;
  /** Version that is installed; empty for secrets. */
  readonly version: string;
  /** Versions that fix it; empty when there is none. */
  readonly fixed: string;
  readonly title: string;
  /** Where it is explained; empty when nowhere. */
  readonly url: string;
  /** Part of the image: the distribution, or the ecosystem. */
  readonly target: string;
}

/** One finding and what it means here. */
export interface Judged extends Found {
  readonly status: "blocks" | "reported" | "ignored";
  /** Why it is ignored; empty otherwise. */
  readonly reason: string;
  /** Platforms whose image has it; absent where there is one image alone. */
  readonly platforms?: readonly string[];
}

/** All that one run of trivy tells. */
export interface Scanned {
  readonly scanner: string;
  readonly findings: readonly Found[];
  /** What a VEX document puts aside, with its statement. */
  readonly suppressed: readonly (Found & { readonly statement: string })[];
  /** Packages that were looked at. */
  readonly packages: number;
}
