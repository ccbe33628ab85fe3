import { clean } from "../text.js";
import type { Found } from "./types.js";

/** Its distribution makes no more advisories, so there is nothing to hold its packages to. */
const END_OF_LIFE = "END-OF-LIFE";

/** Packages of a distribution were not looked at, whatever else was. */
const NO_SYSTEM_PACKAGES = "NO-OS-PACKAGES";

/** What trivy tells of the operating system in what it looked at. */
interface Looked {
  /** A folder has no operating system, and none is missed. */
  readonly isImage: boolean;
  /** trivy's `Metadata.OS`; absent, or of the family `none`, when it saw none that it knows. */
  readonly system:
    { readonly Family: string; readonly Name: string; readonly EOSL: boolean } | undefined;
  /** Packages of the distribution that it held to the database. */
  readonly packages: number;
}

/**
 * What keeps "no vulnerabilities" from meaning that there are none. trivy says it in its log alone,
 * and exits with 0. Both are judged by their severity, as vulnerabilities are:
 * - `END-OF-LIFE`, CRITICAL: what is found in it from now on nobody tells and nobody mends.
 * - `NO-OS-PACKAGES`, UNKNOWN: an image without a distribution is no mistake, one whose distribution
 *   was made unrecognizable is; trivy cannot tell them apart.
 */
export function systemFindings({ isImage, system, packages }: Looked): Found[] {
  const family = clean(system?.Family ?? "");
  const version = clean(system?.Name ?? "");
  const isKnown = family !== "" && family !== "none";
  const found = (id: string, severity: Found["severity"], title: string): Found => ({
    ...{ kind: "system", id, aliases: [], severity, title, url: "", fixed: "" },
    subject: isKnown ? family : "the operating system",
    version,
    target: `${family} ${version}`.trim(),
  });
  return [
    ...(system?.EOSL === true
      ? [
          found(
            END_OF_LIFE,
            "CRITICAL",
            "this version is no longer supported: no advisories and no fixes any more",
          ),
        ]
      : []),
    ...(isImage && packages === 0
      ? [
          found(
            NO_SYSTEM_PACKAGES,
            "UNKNOWN",
            isKnown
              ? "its packages were not looked at: no list of them, or trivy lacks support"
              : "packages of one were not looked at: the image has none that trivy knows",
          ),
        ]
      : []),
  ];
}
