import { fill, h, put, type Child } from "./dom.js";
import { number } from "./words.js";

interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Child;
  /** What rows are sorted by; a column without it cannot be sorted. */
  readonly by?: (row: Row) => string | number;
  readonly class?: string;
}

interface Facet<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Values in the order in which they are shown; others follow by name. */
  readonly order?: readonly string[];
}

interface TableOptions<Row> {
  readonly id: string;
  /** What the rows are: `findings`. */
  readonly noun: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** All that the search looks into. */
  readonly text: (row: Row) => string;
  /** The first is shown as buttons with counts, the others as lists to choose from. */
  readonly facets?: readonly Facet<Row>[];
}

const PAGE = 50;
/** Rows on paper: nobody turns a page there. */
const PRINTED = 1000;
/** Fewer rows need no search. */
const SEARCHED = 8;

/** A table that stays quick with any number of rows: searched, filtered, sorted, a page at a time. */
export function dataTable<Row>(options: TableOptions<Row>): HTMLElement {
  const { id, noun, rows, columns, text, facets = [] } = options;
  const words = new Map<Row, string>();
  const wordsOf = (row: Row): string => {
    const known = words.get(row) ?? text(row).toLowerCase();
    words.set(row, known);
    return known;
  };
  const chosen = facets.map(() => "");
  let search = "";
  let sorted: { column: Column<Row>; down: boolean } | undefined;
  let page = 0;
  let shown: readonly Row[] = rows;

  const body = h("tbody", { role: "rowgroup" });
  const status = h("p", { role: "status", class: "count" });
  const pager = h("nav", { class: "pager", "aria-label": `Pages of ${noun}` });
  const heads = columns.map((column) => {
    const { by, title } = column;
    const head = h("th", { scope: "col", role: "columnheader", class: column.class });
    if (by === undefined) put(head, [title]);
    else
      put(head, [
        h(
          "button",
          {
            type: "button",
            click: () => {
              sort(column);
            },
          },
          title,
        ),
      ]);
    return head;
  });

  function sort(column: Column<Row>): void {
    sorted = { column, down: sorted?.column === column && !sorted.down };
    heads.forEach((head, index) => {
      if (columns[index] === column) {
        head.setAttribute("aria-sort", sorted?.down === true ? "descending" : "ascending");
      } else head.removeAttribute("aria-sort");
    });
    update();
  }

  function matches(row: Row): boolean {
    return (
      facets.every((facet, index) => chosen[index] === "" || facet.of(row) === chosen[index]) &&
      search.split(/\s+/).every((word) => wordsOf(row).includes(word))
    );
  }

  function update(): void {
    page = 0;
    shown = search === "" && chosen.every((value) => value === "") ? rows : rows.filter(matches);
    const by = sorted?.column.by;
    if (sorted && by) {
      const sign = sorted.down ? -1 : 1;
      shown = [...shown].sort((a, b) => (by(a) < by(b) ? -sign : by(a) > by(b) ? sign : 0));
    }
    draw();
  }

  function draw(most = PAGE): void {
    const from = page * most;
    const part = shown.slice(from, from + most);
    fill(body, part.map(rowOf));
    if (part.length === 0) {
      const nothing = h("td", { role: "cell", colspan: columns.length, class: "nothing" });
      put(nothing, [`No ${noun} match.`]);
      body.append(h("tr", { role: "row" }, nothing));
    }
    const all = `${number(rows.length)} ${noun}`;
    status.textContent = shown.length === rows.length ? all : `${number(shown.length)} of ${all}`;
    const last = Math.ceil(shown.length / most) - 1;
    const range = `${number(from + 1)}–${number(from + part.length)} of ${number(shown.length)}`;
    fill(
      pager,
      last > 0 && [
        turn("Previous", page > 0, -1),
        h("span", {}, range),
        turn("Next", page < last, 1),
      ],
    );
  }

  function turn(name: string, possible: boolean, by: number): HTMLElement {
    return h(
      "button",
      {
        type: "button",
        "aria-disabled": !possible && "true",
        click: () => {
          if (!possible) return;
          page += by;
          draw();
          // The buttons are new ones: whoever turns pages by keyboard goes on from the same one.
          [...pager.querySelectorAll("button")].find((each) => each.textContent === name)?.focus();
          table.scrollIntoView({ block: "nearest" });
        },
      },
      name,
    );
  }

  function rowOf(row: Row): HTMLElement {
    const cells = columns.map((column) =>
      h("td", { role: "cell", class: column.class, "data-title": column.title }, column.cell(row)),
    );
    return h("tr", { role: "row" }, cells);
  }

  const table = h(
    "table",
    { id: `${id}-table`, role: "table", "aria-label": noun },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    body,
  );
  addEventListener("beforeprint", () => {
    page = 0;
    draw(PRINTED);
  });
  addEventListener("afterprint", () => {
    draw();
  });
  const filters = facets.map((facet, index) => {
    const choose = (value: string): void => {
      chosen[index] = value;
      update();
    };
    return index === 0 ? buttons(facet, rows, choose) : list(facet, rows, choose);
  });
  const input = h("input", {
    type: "search",
    "aria-label": `Search ${noun}`,
    placeholder: `Search ${noun} …`,
    "aria-controls": `${id}-table`,
    input: () => {
      search = input.value.trim().toLowerCase();
      update();
    },
  });
  draw();
  const tools = rows.length > SEARCHED ? h("div", { class: "tools" }, input, filters) : undefined;
  return h("div", { class: "data" }, tools, status, h("div", { class: "scroll" }, table), pager);
}

function buttons<Row>(
  facet: Facet<Row>,
  rows: readonly Row[],
  choose: (value: string) => void,
): HTMLElement | undefined {
  const values = countsOf(facet, rows);
  if (values.length < 2) return undefined;
  const all = [["", rows.length] as const, ...values].map(([value, count]) => {
    const button = h(
      "button",
      { type: "button", class: "chip", "data-value": value, "aria-pressed": String(value === "") },
      value === "" ? "all" : value,
      h("span", {}, number(count)),
    );
    button.addEventListener("click", () => {
      for (const each of all) each.setAttribute("aria-pressed", String(each === button));
      choose(value);
    });
    return button;
  });
  return h("div", { class: "chips", role: "group", "aria-label": facet.title }, all);
}

function list<Row>(
  facet: Facet<Row>,
  rows: readonly Row[],
  choose: (value: string) => void,
): HTMLElement | undefined {
  const values = countsOf(facet, rows);
  if (values.length < 2) return undefined;
  const select = h(
    "select",
    {
      "aria-label": facet.title,
      change: () => {
        choose(select.value);
      },
    },
    h("option", { value: "" }, `any ${facet.title}`),
    values.map(([value, count]) => h("option", { value }, `${value} (${number(count)})`)),
  );
  return select;
}

function countsOf<Row>(facet: Facet<Row>, rows: readonly Row[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(facet.of(row), (counts.get(facet.of(row)) ?? 0) + 1);
  const { order = [] } = facet;
  const place = (value: string): number =>
    order.includes(value) ? order.indexOf(value) : order.length;
  counts.delete("");
  return [...counts].sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
}
