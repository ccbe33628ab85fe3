/** A step of a plan; `after` holds the digests of the steps it needs directly. */
export interface PlannedStep {
  readonly digest: string;
  readonly name: string;
  readonly after: readonly string[];
  cached: boolean;
}

export const STYLES = ["tree", "mermaid", "json"] as const;
type Style = (typeof STYLES)[number];

export function isStyle(text: string): text is Style {
  return STYLES.some((style) => style === text);
}

/** The plan as text, ended by a newline. */
export function draw(steps: readonly PlannedStep[], style: Style): string {
  switch (style) {
    case "json":
      return `${JSON.stringify(steps, null, 2)}\n`;
    case "mermaid":
      return mermaid(steps);
    case "tree":
      return tree(steps);
  }
}

const LONGEST_NAME = 100;

function label({ name, cached }: PlannedStep): string {
  const line = name.replace(/\s+/g, " ");
  const short = line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME - 1)}…` : line;
  return cached ? `${short} (cached)` : short;
}

/** Results first, what they need below them; what was shown already is only named again. */
function tree(steps: readonly PlannedStep[]): string {
  const byDigest = new Map(steps.map((step) => [step.digest, step]));
  const needed = new Set(steps.flatMap(({ after }) => after));
  const shown = new Set<string>();
  const lines: string[] = [];
  const visit = (step: PlannedStep, indent: string, branch: string, below: string) => {
    const again = shown.has(step.digest) && step.after.length > 0;
    lines.push(`${indent}${branch}${label(step)}${again ? " (see above)" : ""}`);
    if (again) return;
    shown.add(step.digest);
    const children = step.after.flatMap((digest) => byDigest.get(digest) ?? []);
    children.forEach((child, index) => {
      const isLast = index === children.length - 1;
      visit(child, indent + below, isLast ? "└─ " : "├─ ", isLast ? "   " : "│  ");
    });
  };
  for (const step of steps) if (!needed.has(step.digest)) visit(step, "", "", "");
  return `${lines.join("\n")}\n`;
}

function mermaid(steps: readonly PlannedStep[]): string {
  const ids = new Map(steps.map(({ digest }, index) => [digest, `s${index}`]));
  const nodes = steps.map(
    (step) => `  ${ids.get(step.digest) ?? ""}["${label(step).replaceAll('"', "#quot;")}"]`,
  );
  const arrows = steps.flatMap(({ digest, after }) =>
    after.map((from) => `  ${ids.get(from) ?? ""} --> ${ids.get(digest) ?? ""}`),
  );
  return `flowchart LR\n${[...nodes, ...arrows].join("\n")}\n`;
}
