/** Commands in a document, and what it says that they print. */
export interface Block {
  /** Line of the document, from 1. */
  readonly line: number;
  readonly script: string;
  /** Marked `run`: a test runs it. */
  readonly isRun: boolean;
  /** The text block that follows; undefined when there is none before the next commands. */
  readonly prints: string | undefined;
}

const FENCE = /^```(\w*)(?: (\w+))?\n([\s\S]*?)^```$/gm;

/** The blocks of commands (` ```sh `) in a Markdown document, in their order. */
export function blocksOf(document: string): Block[] {
  const fences = [...document.matchAll(FENCE)].map(([, language, mark, text = ""], at) => ({
    ...{ language, mark, text, at },
  }));
  const lines = [...document.matchAll(FENCE)].map(
    ({ index }) => document.slice(0, index).split("\n").length,
  );
  return fences
    .filter(({ language }) => language === "sh")
    .map(({ mark, text, at }) => {
      const next = fences[at + 1];
      return {
        ...{ line: lines[at] ?? 0, script: text, isRun: mark === "run" },
        prints: next?.language === "text" ? next.text : undefined,
      };
    });
}

/**
 * What of the lines that a document shows is not in the output, in that order; empty when all is.
 * `…` stands for anything, and for nothing.
 */
export function missing(shown: string, output: string): string[] {
  const printed = output.split("\n");
  let at = 0;
  return shown
    .split("\n")
    .filter((line) => line.trim() !== "")
    .filter((line) => {
      const parts = line
        .trimEnd()
        .split("…")
        .map((part) =>
          part
            .trim()
            .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
            .replace(/\s+/g, "\\s+"),
        );
      const pattern = new RegExp(`^\\s*${parts.join(".*")}\\s*$`);
      const found = printed.findIndex((each, index) => index >= at && pattern.test(each));
      if (found >= 0) at = found + 1;
      return found < 0;
    });
}
