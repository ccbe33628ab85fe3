import type { Report } from "../../../src/core/report/report.js";
import { copyButton, h, section, type Child } from "./dom.js";
import { dataTable } from "./table.js";
import { number, stateIcon } from "./words.js";

type Package = NonNullable<Report["sbom"]>["packages"][number];
type Evidence = NonNullable<Report["evidence"]>;

/** What is in the image. */
export function packages({ sbom }: Report): HTMLElement | undefined {
  if (!sbom) return undefined;
  const table = dataTable<Package>({
    id: "packages",
    noun: "packages",
    rows: sbom.packages,
    text: ({ name, version, type, licenses, purl = "", digest = "" }) =>
      [name, version, type, ...licenses, purl, digest].join(" "),
    facets: [{ title: "type", of: ({ type }) => type }],
    columns: [
      {
        title: "Package",
        cell: ({ name }) => h("strong", {}, name),
        by: ({ name }) => name,
        class: "where",
      },
      {
        title: "Version",
        cell: ({ version }) => h("code", {}, version),
        by: ({ version }) => version,
      },
      { title: "Type", cell: ({ type }) => type, by: ({ type }) => type },
      {
        title: "License",
        cell: ({ licenses }) => licenses.join(", ") || "unknown",
        by: ({ licenses }) => licenses.join(),
      },
      {
        title: "Digest",
        cell: ({ digest = "" }) =>
          h("code", { title: digest }, digest.slice(0, 19), digest.length > 19 && "…"),
      },
    ],
  });
  const said = `${sbom.format} lists ${number(sbom.packages.length)} packages in the image.`;
  return section("packages", "Bill of materials", h("p", { class: "lead" }, said), table);
}

/** Who signed what, what is said of it, and how to see that for oneself. */
export function evidence(report: Report): HTMLElement | undefined {
  const { evidence: of } = report;
  if (!of) return undefined;
  const steps = [
    link("Image", h("code", {}, of.digest), copyButton(of.reference, "the image's reference")),
    link("Signature", ...signer(of)),
    link(
      "Attestations",
      h(
        "ul",
        { class: "plain" },
        of.predicates.map(({ name, type }) =>
          h("li", {}, h("strong", {}, name), " ", h("span", { class: "meta" }, type)),
        ),
      ),
    ),
    of.builder !== undefined && link("Builder", h("code", {}, of.builder), slsa(of)),
    of.rules.length > 0 && link("Policy", h("ul", { class: "plain" }, of.rules.map(rule))),
  ];
  const commands = of.commands.map(({ title, command }) =>
    h(
      "figure",
      { class: "command" },
      h("figcaption", {}, title, copyButton(command, `the command: ${title}`)),
      h("pre", { tabindex: "0", "aria-label": title }, command),
    ),
  );
  return section(
    "evidence",
    "Evidence",
    h("p", { class: "lead" }, h("code", {}, of.reference)),
    h("ol", { class: "chain" }, steps),
    commands.length > 0 && [h("h3", {}, "Verify it yourself"), commands],
  );
}

function link(title: string, ...children: Child[]): HTMLElement {
  return h("li", {}, h("h3", {}, title), h("div", {}, children));
}

function signer({ signer: { kind, identity, issuer } }: Evidence): Child[] {
  const words = { key: "with a key", keyless: "keyless, as", kms: "with a key in a KMS" };
  return [`${words[kind]} `, h("code", {}, identity), issuer !== undefined && ` by ${issuer}`];
}

function slsa({ slsaLevel }: Evidence): Child {
  return (
    slsaLevel !== undefined && [" ", h("span", { class: "mark" }, `SLSA build level ${slsaLevel}`)]
  );
}

function rule({ rule: name, passed, detail }: Evidence["rules"][number]): HTMLElement {
  return h(
    "li",
    {},
    stateIcon(passed ? "PASSED" : "FAILED"),
    h("span", { class: "hidden" }, passed ? "holds: " : "does not hold: "),
    h("strong", {}, name),
    " ",
    h("span", { class: "meta" }, detail),
  );
}
