import { SandboxError } from "./failure.js";

/** An architecture, by the name that Debian and OCI share. */
export type Architecture = "amd64" | "arm64";

/** This machine's architecture; stand-ins are made for the machine they are made on. */
export function hostArchitecture(): Architecture {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new SandboxError(
    `There are no stand-in images for ${process.arch}.`,
    "Use an x86-64 or 64-bit ARM machine, or point the mirror table at a registry that you have.",
  );
}
