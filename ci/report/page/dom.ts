/** What an element can hold; absent parts may be written as `undefined` or `false`. */
export type Child = Node | string | number | false | undefined | readonly Child[];
type Value = string | number | boolean | undefined | ((event: Event) => void);

/**
 * An element. Text is only ever text: nothing that a report says becomes markup. Functions are
 * listeners, `--x` are CSS variables, `true` is an attribute without a value.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Value>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name.startsWith("--")) element.style.setProperty(name, String(value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  put(element, children);
  return element;
}

/** Adds children to an element. */
export function put(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === false) continue;
    if (isList(child)) put(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren();
  put(element, children);
}

/** A link where the address is one of the web, else the text alone: a report may name anything. */
export function link(address: string | undefined, ...children: readonly Child[]): HTMLElement {
  if (address === undefined || !/^https?:\/\/[^\s/]/i.test(address)) {
    return h("span", {}, children);
  }
  return h("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, children);
}

/** A button that copies text, and says so. */
export function copyButton(text: string, what: string): HTMLElement {
  const said = h("span", { role: "status", class: "hidden" });
  const button = h(
    "button",
    { type: "button", class: "small", "aria-label": `Copy ${what}` },
    "Copy",
  );
  button.addEventListener("click", () => {
    void copy(text).then((done) => {
      button.textContent = done ? "Copied" : "Select it";
      said.textContent = done ? `${what} copied` : `${what} could not be copied`;
      setTimeout(() => {
        button.textContent = "Copy";
        said.textContent = "";
      }, 2000);
    });
  });
  return h("span", { class: "copy" }, button, said);
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A part of the page with a heading and a place in its contents. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  const heading = `${id}-title`;
  return h(
    "section",
    { id, "aria-labelledby": heading },
    h("h2", { id: heading }, title),
    children,
  );
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}
