import { EngineError } from "../../graph/errors.js";

/** The value of a variable, `undefined` where it is not set. */
export type Lookup = (name: string) => string | undefined;

/** A word without its quotes, and with the values of the variables in it. */
export function expand(word: string, value: Lookup): string {
  try {
    return new Lexer(word, value).until("");
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(`failed to process ${JSON.stringify(word)}: ${error.message}`);
  }
}

/** Reads a word as BuildKit does: nearly, but not quite, as a shell. */
class Lexer {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly value: Lookup,
  ) {}

  /** The text up to `stop`, which is taken too; "" is the end. In patterns a backslash stays. */
  until(stop: string, pattern = false): string {
    let out = "";
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (char === stop) {
        this.at += 1;
        return out;
      }
      if (char === "'") out += this.single();
      else if (char === '"') out += this.double();
      else if (char === "$") out += this.dollar();
      else if (char === "\\") {
        out += pattern ? char : "";
        out += this.text[this.at + 1] ?? "";
        this.at += 2;
      } else {
        out += char;
        this.at += 1;
      }
    }
    if (stop !== "") throw new EngineError(`syntax error: missing '${stop}'`);
    return out;
  }

  private single(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw unterminated("single");
    const inner = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return inner;
  }

  private double(): string {
    let out = "";
    this.at += 1;
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (char === "$") {
        out += this.dollar();
        continue;
      }
      this.at += 1;
      if (char === '"') return out;
      const next = this.text[this.at] ?? "";
      if (char === "\\" && '"$\\'.includes(next)) {
        out += next;
        this.at += 1;
      } else out += char;
    }
    throw unterminated("double");
  }

  private dollar(): string {
    this.at += 1;
    if (this.text[this.at] !== "{") {
      const name = this.name();
      return name === "" ? "$" : (this.value(name) ?? "");
    }
    this.at += 1;
    const name = this.name();
    if (name === "") throw new EngineError("syntax error: bad substitution");
    return this.modified(this.value(name), name);
  }

  private name(): string {
    const [name = ""] = /^(?:\d+|[@*#?\-$!]|\w+)/.exec(this.text.slice(this.at)) ?? [];
    this.at += name.length;
    return name;
  }

  /** What comes after the name in braces, applied to its value. */
  private modified(value: string | undefined, name: string): string {
    const [operator = ""] = /^(?:\}|:?[-+?]|##?|%%?|\/\/?)/.exec(this.text.slice(this.at)) ?? [];
    this.at += operator.length;
    if (operator === "}") return value ?? "";
    const given = operator.startsWith(":") && value === "" ? undefined : value;
    switch (operator.replace(":", "")) {
      case "-": {
        const word = this.until("}");
        return given ?? word;
      }
      case "+": {
        const word = this.until("}");
        return given === undefined ? "" : word;
      }
      case "?": {
        const word = this.until("}");
        if (given !== undefined) return given;
        const empty = value === undefined ? "unset" : "empty";
        throw new EngineError(`${name}: ${word === "" ? `is not allowed to be ${empty}` : word}`);
      }
      case "#":
      case "##":
      case "%":
      case "%%":
        return trimmed(value ?? "", operator, patternSource(this.until("}", true), operator));
      case "/":
      case "//": {
        const pattern = new RegExp(patternSource(this.until("/", true), "//"), "g");
        const replacement = this.until("}", true);
        let left = operator === "/" ? 1 : Infinity;
        return (value ?? "").replace(pattern, (match) => (left-- > 0 ? replacement : match));
      }
      default:
        throw new EngineError("unsupported modifier in substitution");
    }
  }
}

/** The value without what matches at its beginning (#) or end (%); doubled, the longest match. */
function trimmed(value: string, operator: string, source: string): string {
  const matches = new RegExp(`^${source}$`);
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator.length === 2) lengths.reverse();
  const front = operator.startsWith("#");
  const found = lengths.find((length) =>
    matches.test(front ? value.slice(0, length) : value.slice(value.length - length)),
  );
  if (found === undefined) return value;
  return front ? value.slice(found) : value.slice(0, value.length - found);
}

/** `*` and `?` of a shell's pattern as a regular expression. */
function patternSource(pattern: string, operator: string): string {
  const any = operator.length === 2 ? ".*" : ".*?";
  return pattern.replace(/\\(.)|[*?[\]{}.+()|^$\\]/g, (token: string, escaped?: string) => {
    if (escaped !== undefined) return /\w/.test(escaped) ? escaped : `\\${escaped}`;
    if (token === "*") return any;
    return token === "?" ? "." : `\\${token}`;
  });
}

function unterminated(quote: string): EngineError {
  return new EngineError(`unexpected end of statement while looking for matching ${quote}-quote`);
}
