type Value = string | number | boolean | null;

/** What an expression may name: contexts as nested objects, functions by name. */
export interface Scope {
  contexts: Readonly<Record<string, unknown>>;
  functions: Readonly<Record<string, (...args: Value[]) => Value>>;
}

/**
 * Evaluates a GitHub Actions expression (the part that workflows here use: `||`, `&&`, `!`, `==`, `!=`,
 * calls, names with dots, strings).
 *
 * @throws Error on anything else, so that a test never passes on what it did not understand.
 */
export function evaluate(expression: string, scope: Scope): Value {
  const tokens = expression.match(/'(?:[^']|'')*'|[\w.-]+|\|\||&&|[=!]=|[!(),]|\S/g) ?? [];
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && ++at > 0;
  const expect = (token: string): void => {
    if (!take(token)) throw new Error(`expected ${token} in ${expression}`);
  };
  const or = (): Value => {
    let value = and();
    while (take("||")) {
      const other = and();
      value = isTrue(value) ? value : other;
    }
    return value;
  };
  const and = (): Value => {
    let value = equality();
    while (take("&&")) {
      const other = equality();
      value = isTrue(value) ? other : value;
    }
    return value;
  };
  const equality = (): Value => {
    const value = unary();
    if (take("==")) return value === unary();
    return take("!=") ? value !== unary() : value;
  };
  const unary = (): Value => (take("!") ? !isTrue(unary()) : primary());
  const primary = (): Value => {
    const token = tokens[at++];
    if (token === undefined) throw new Error(`${expression} ends too early`);
    if (token === "(") {
      const value = or();
      expect(")");
      return value;
    }
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (token === "true" || token === "false") return token === "true";
    if (!/^[a-z]/i.test(token)) throw new Error(`unexpected ${token} in ${expression}`);
    return take("(") ? call(token) : lookUp(token, scope.contexts);
  };
  const call = (name: string): Value => {
    const args: Value[] = [];
    while (!take(")")) {
      args.push(or());
      if (!take(",") && tokens[at] !== ")") expect(")");
    }
    const found = scope.functions[name];
    if (!found) throw new Error(`no function ${name}`);
    return found(...args);
  };
  const value = or();
  if (at < tokens.length) throw new Error(`unexpected ${tokens[at] ?? ""} in ${expression}`);
  return value;
}

/** Text with each `${{ … }}` replaced by its value. */
export function interpolate(text: string, scope: Scope): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    String(evaluate(expression, scope) ?? ""),
  );
}

/** As GitHub takes it: empty text, 0 and null are false. */
export function isTrue(value: Value): boolean {
  return value !== null && value !== "" && value !== 0 && value !== false;
}

/** A name that a known context does not have is empty; an unknown context is an error. */
function lookUp(name: string, contexts: Scope["contexts"]): Value {
  const [context = "", ...path] = name.split(".");
  if (!(context in contexts)) throw new Error(`no context ${context}`);
  let value: unknown = contexts[context];
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return (value ?? null) as Value;
}
