/** Releases that stole credentials from where they ran (CVE-2026-33634). */
const MALICIOUS = /^v?0\.69\.[456](?!\d)/;

/**
 * Why a trivy must not be run; undefined when nothing speaks against it.
 *
 * @param version A version, or the tag of an image.
 */
export function scannerProblem(version: string): string | undefined {
  return MALICIOUS.test(version)
    ? `trivy ${version} is one of the releases 0.69.4 to 0.69.6, which were malicious (CVE-2026-33634); it is not run. Take another with images.trivy`
    : undefined;
}

/** The tag of an image reference; empty when it has none. */
export function tagOf(reference: string): string {
  const named = reference.split("@")[0] ?? "";
  return /:([\w][\w.-]*)$/.exec(named.slice(named.lastIndexOf("/") + 1))?.[1] ?? "";
}
