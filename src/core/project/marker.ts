/** An environment marker (PEP 508), parsed; comparisons stay as text. */
export type Marker =
  | { readonly kind: "always" }
  | { readonly kind: "never" }
  | {
      readonly kind: "compare";
      readonly left: string;
      readonly operator: string;
      readonly right: string;
    }
  | { readonly kind: "and" | "or"; readonly parts: readonly Marker[] };

const ALWAYS: Marker = { kind: "always" };
const NEVER: Marker = { kind: "never" };
const TOKEN = /\s*(\(|\)|'[^']*'|"[^"]*"|<=|>=|===|==|!=|~=|<|>|[A-Za-z_][A-Za-z0-9_.]*)/y;

/** Reads a marker; undefined when it is not one. */
export function parseMarker(text: string): Marker | undefined {
  const tokens = tokenize(text.trim());
  if (!tokens) return undefined;
  const reader = { tokens, at: 0 };
  const marker = parseAny(reader);
  return reader.at === tokens.length ? marker : undefined;
}

/** Replaces every `extra == "x"` by whether x is among `extras`, and simplifies. */
export function applyExtras(marker: Marker, extras: readonly string[]): Marker {
  if (marker.kind === "and" || marker.kind === "or")
    return join(
      marker.kind,
      marker.parts.map((part) => applyExtras(part, extras)),
    );
  if (marker.kind !== "compare") return marker;
  const wanted =
    marker.left === "extra" ? marker.right : marker.right === "extra" ? marker.left : undefined;
  if (wanted === undefined) return marker;
  const has = extras.includes(wanted.slice(1, -1));
  return has === (marker.operator === "==") ? ALWAYS : NEVER;
}

/** Joins markers, dropping what decides nothing. */
export function join(kind: "and" | "or", parts: readonly Marker[]): Marker {
  const [absorbing, neutral] = kind === "and" ? [NEVER, ALWAYS] : [ALWAYS, NEVER];
  if (parts.some((part) => part.kind === absorbing.kind)) return absorbing;
  const rest = new Map(
    parts.filter((part) => part.kind !== neutral.kind).map((part) => [printMarker(part), part]),
  );
  const [first] = rest.values();
  if (first === undefined) return neutral;
  return rest.size === 1 ? first : { kind, parts: [...rest.values()] };
}

/** The marker as text; empty for `always`. `never` has no text: leave the requirement out. */
export function printMarker(marker: Marker): string {
  switch (marker.kind) {
    case "always":
    case "never":
      return "";
    case "compare":
      return `${marker.left} ${marker.operator} ${marker.right}`;
    default:
      return marker.parts
        .map((part) =>
          part.kind === "or" && marker.kind === "and"
            ? `(${printMarker(part)})`
            : printMarker(part),
        )
        .join(` ${marker.kind} `);
  }
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return undefined;
    tokens.push(match[1] ?? "");
  }
  return tokens;
}

function parseAny(reader: Reader): Marker | undefined {
  return parseJoined(reader, "or", () => parseJoined(reader, "and", () => parseOne(reader)));
}

function parseJoined(
  reader: Reader,
  kind: "and" | "or",
  operand: () => Marker | undefined,
): Marker | undefined {
  const parts: Marker[] = [];
  do {
    const part = operand();
    if (!part) return undefined;
    parts.push(part);
  } while (take(reader, kind));
  return join(kind, parts);
}

function parseOne(reader: Reader): Marker | undefined {
  if (take(reader, "(")) {
    const inside = parseAny(reader);
    return inside && take(reader, ")") ? inside : undefined;
  }
  const left = reader.tokens[reader.at++];
  const first = reader.tokens[reader.at++];
  const operator = first === "not" && take(reader, "in") ? "not in" : first;
  const right = reader.tokens[reader.at++];
  if (left === undefined || operator === undefined || right === undefined) return undefined;
  return /^[<>=!~]+$|^(not )?in$/.test(operator)
    ? { kind: "compare", left, operator, right }
    : undefined;
}

function take(reader: Reader, token: string): boolean {
  if (reader.tokens[reader.at] !== token) return false;
  reader.at++;
  return true;
}
