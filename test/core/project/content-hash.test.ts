import { suite } from "uvu";
import * as assert from "uvu/assert";
import { poetryContentHash } from "../../../src/core/project/content-hash.js";
import { readToml } from "../../../src/core/toml.js";

const test = suite("poetryContentHash");

// The digests are what Poetry 2.5.1 computes for these files.
const CASES: Record<string, [toml: string, digest: string, withoutGroups?: string]> = {
  project: [
    '[project]\nname="a"\nrequires-python=">=3.11"\ndependencies=["b>=1"]\n',
    "a0af208b39f9d1c986ba935c4e7dd36b8e567dcd4d0569543f7b4d7f0fed43d5",
  ],
  legacy: [
    '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\npython="^3.11"\nb={version="^1",extras=["x"]}\n',
    "9238b7c882ce1ba122f1ffd18900a270577a9633c5bb771c2bd522128531c69b",
  ],
  legacy_with_groups_and_extras: [
    '[tool.poetry]\nname="a"\n[tool.poetry.dependencies]\npython="^3.11"\n[tool.poetry.group.test.dependencies]\npytest="*"\n[tool.poetry.extras]\nq=["b"]\n',
    "6740e904757102e467747a8a5f4f6872fd72fea43ebfacc803b96e20b7f4fe0c",
  ],
  dependency_groups: [
    '[project]\nname="a"\n[dependency-groups]\ntest=["pytest>=8",{include-group="x"}]\nx=[]\n',
    "891ed1a3fa9095ab9e16973fc8ebde2f512da25d7d67cfd28218a86e410589bc",
    "115cf985d932e9bf5f540555bbdd75decbb62cac81e399375fc19f6277f8c1d8",
  ],
  letters_outside_ascii: [
    '[project]\nname="a"\ndependencies=["b ; sys_platform == \'é🐍\\u007f\'"]\n[tool.poetry.dependencies]\n"ü"={path="../ü",develop=true}\n',
    "d3f52457fe71522a2f6c8711c46a722d150d76c22e91026163e4de81df1bd2b1",
  ],
};

for (const [name, [toml, digest, withoutGroups]] of Object.entries(CASES))
  test(`agrees_with_poetry_on_${name}`, () => {
    const { value } = readToml(toml, "pyproject.toml");
    assert.is(poetryContentHash(value, true), digest);
    assert.is(poetryContentHash(value, false), withoutGroups ?? digest);
  });

test("does_not_change_with_what_decides_no_dependency", () => {
  const hash = (toml: string): string =>
    poetryContentHash(readToml(toml, "pyproject.toml").value, true);
  const base = '[project]\nname="a"\ndependencies=["b>=1"]\n';
  assert.is(hash(`${base}version="2"\n[tool.ruff]\nline-length=100\n`), hash(base));
  assert.is.not(hash(base.replace("b>=1", "b>=2")), hash(base));
});

test.run();
