import { OUT } from "./execution.js";

/** Command line of safety over the folder that holds the exact requirements. */
export function safetyCommand(folder: string): string[] {
  return [
    "safety",
    "--stage",
    "cicd",
    "--disable-optional-telemetry",
    "scan",
    "--target",
    folder,
    "--output",
    "json",
    "--save-as",
    "json",
    `${OUT}/safety.json`,
  ];
}
