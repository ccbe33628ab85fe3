// Bills of materials of a real image, held to their official schemas by their own validators.
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { environment } from "./support/by-hand.js";
import { slipway } from "./support/checks.js";
import { scratch } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

const VALIDATORS = ["cyclonedx-python-lib[json-validation]==11.12.0", "spdx-tools==0.8.5"];
const CYCLONEDX = `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
print(JsonStrictValidator(SchemaVersion.from_version(sys.argv[2])).validate_str(text) or "valid")
`;

await programImages();
const folder = await scratch();
const session = await openSession();
await session.serve();
const source = await serviceWith("0.16.0", join(folder.path, "service"));
const run = await environment(folder.path, VALIDATORS, ["sbom"]);

const test = suite("bill of materials");
test.after(async () => {
  await session.close();
  await folder.forget();
});

async function sbom(format: string, args = ""): Promise<string> {
  const answer = await session.query<{ slipway: { sbom: { contents: string } } }>(
    `{ ${await slipway(session, source)} { sbom(format: "${format}"${args}) { contents } } }`,
  );
  return answer.slipway.sbom.contents;
}

interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly { readonly license: { readonly id?: string } }[];
}

test("is_valid_CycloneDX_with_the_packages_of_Python_and_of_the_system", async () => {
  const text = await sbom("cyclonedx");
  const file = join(folder.path, "bom.json");
  await writeFile(file, text);
  const { specVersion, components } = JSON.parse(text) as {
    specVersion: string;
    components: Component[];
  };
  assert.is((await run("python", "-c", CYCLONEDX, file, specVersion)).stdout.trim(), "valid");
  const h11 = components.find(({ name }) => name === "h11");
  assert.equal([h11?.version, h11?.purl], ["0.16.0", "pkg:pypi/h11@0.16.0"]);
  assert.equal(
    h11?.licenses?.map(({ license }) => license.id),
    ["MIT"],
  );
  assert.match(h11?.hashes?.[0]?.content ?? "", /^[0-9a-f]{40,}$/);
  assert.ok(components.some(({ purl }) => purl?.startsWith("pkg:deb/debian/libc6@")));
});

test("would_be_told_when_it_is_not_valid", async () => {
  const file = join(folder.path, "wrong.json");
  const { components, ...rest } = JSON.parse(await sbom("cyclonedx")) as {
    specVersion: string;
    components: Component[];
  };
  const wrong = {
    ...rest,
    components: components.map(({ name, ...each }) => ({ ...each, nom: name })),
  };
  await writeFile(file, JSON.stringify(wrong));
  const { stdout } = await run("python", "-c", CYCLONEDX, file, rest.specVersion);
  assert.not.match(stdout, /^valid/);
});

test("is_valid_SPDX_with_the_same_packages", async () => {
  const text = await sbom("spdx");
  const file = join(folder.path, "bom.spdx.json");
  await writeFile(file, text);
  const { code, stdout } = await run("pyspdxtools", "--infile", file);
  assert.is(code, 0, stdout);
  const { packages } = JSON.parse(text) as { packages: { name: string; versionInfo?: string }[] };
  assert.is(packages.find(({ name }) => name === "h11")?.versionInfo, "0.16.0");
  assert.ok(packages.some(({ name }) => name === "libc6"));
});

test("looks_at_what_is_below_the_code_once_for_all_commits_and_sees_the_same", async () => {
  await sbom("cyclonedx");
  const code = `"""Greets."""\n\n\ndef main() -> None:\n    print("hello")  # ${randomUUID()}\n`;
  await writeFile(join(source, "src/greeter/__init__.py"), code);
  session.ran();
  const text = await sbom("cyclonedx");
  const looks = session.ran().filter((name) => /\btrivy image\b/.test(name));
  assert.is(looks.length, 1, looks.join("\n"));
  const built = await session.query<{ slipway: { build: { id: string } } }>(
    `{ ${await slipway(session, source)} { build { id } } }`,
  );
  // Of an image that comes without a history, all is looked at.
  const whole = await sbom("cyclonedx", `, image: ${JSON.stringify(built.slipway.build.id)}`);
  assert.ok(text.includes("pkg:pypi/greeter@1.4.2"), "the layer of code was not looked at");
  assert.equal(purls(text), purls(whole));
});

function purls(text: string): string[] {
  const { components } = JSON.parse(text) as { components: Component[] };
  return components.map(({ purl = "", hashes }) => `${purl} ${JSON.stringify(hashes)}`).sort();
}

test("refuses_another_form_by_name", async () => {
  const refusal = await sbom("swid").then(
    () => "made",
    (error: unknown) => (error as Error).message,
  );
  assert.match(refusal, /takes cyclonedx or spdx; "swid" is neither/);
});

test.run();
