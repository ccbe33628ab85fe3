import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  allOk,
  failed,
  findingsMarkdown,
  findingsTable,
  passed,
  warned,
  type Finding,
} from "../../../../src/core/delivery/validation/findings.js";
import {
  kubeconfigFindings,
  namespaceFinding,
  secretsFinding,
  serverFinding,
  userFinding,
} from "../../../../src/core/delivery/validation/server.js";
import { inputFindings, readFunctions } from "../../../../src/core/delivery/validation/inputs.js";
import { raises } from "../../raises.js";
import { answered, AWAY, FORBIDDEN, refused } from "./said.js";

const test = suite("findings of inputs and server");

const isFailed = (finding: Finding | undefined, said: RegExp): void => {
  assert.is(finding?.ok, false);
  assert.match(finding?.found ?? "", said);
};
const isWarned = (finding: Finding | undefined, said: RegExp): void => {
  assert.equal([finding?.ok, finding?.warning], [true, true]);
  assert.match(finding?.found ?? "", said);
};
const isPassed = (finding: Finding | undefined): void => {
  assert.equal([finding?.ok, finding?.warning], [true, undefined], finding?.found);
};

const version = (server: string, client = "34"): ReturnType<typeof answered> =>
  answered({
    clientVersion: { major: "1", minor: client },
    serverVersion: { major: "1", minor: server, gitVersion: `v1.${server}.4` },
  });

test("takes_a_server_one_minor_version_apart_and_warns_of_more", () => {
  for (const minor of ["33", "34", "35", "35+"]) isPassed(serverFinding(version(minor)));
  isWarned(serverFinding(version("36")), /more than one minor version apart/);
  isWarned(serverFinding(version("31")), /more than one minor version apart/);
});

test("fails_when_pods_could_not_be_drained", () => {
  isFailed(serverFinding(version("29")), /older than 1\.30/);
});

test("fails_when_the_server_does_not_answer", () => {
  isFailed(serverFinding(AWAY), /does not answer: The connection .* was refused/);
  isFailed(serverFinding(undefined), /kubectl was not run/);
  isFailed(serverFinding(answered("not json")), /does not answer/);
  // kubectl tells its own version also where the server does not answer.
  const half = { clientVersion: { major: "1", minor: "34" } };
  isFailed(serverFinding(refused("refused", JSON.stringify(half))), /refused/);
});

test("tells_whom_the_cluster_takes_the_caller_for", () => {
  const user = (username: string): Finding =>
    userFinding(answered({ status: { userInfo: { username } } }));
  assert.is(
    user("system:serviceaccount:shop:deployer").found,
    "system:serviceaccount:shop:deployer",
  );
  isFailed(user("system:anonymous"), /takes the caller for nobody/);
  isFailed(
    userFinding(refused("error: You must be logged in to the server (Unauthorized)")),
    /does not accept them: error: You must be logged in/,
  );
});

test("fails_without_the_namespace_and_while_it_ends", () => {
  isPassed(namespaceFinding("shop", answered({ status: { phase: "Active" } })));
  isFailed(namespaceFinding("shop", answered({ status: { phase: "Terminating" } })), /Terminating/);
  isFailed(namespaceFinding("shop", answered({})), /not readable/);
  isFailed(
    namespaceFinding("gone", refused('Error from server (NotFound): namespaces "gone" not found')),
    /there is no gone/,
  );
  isFailed(namespaceFinding("shop", AWAY), /not known/);
  // Who may work only in it need not be able to see it.
  isPassed(namespaceFinding("shop", FORBIDDEN));
});

test("fails_without_the_secrets_that_pods_need", () => {
  assert.equal(secretsFinding([], undefined), []);
  const [all] = secretsFinding(["a", "b"], answered("secret/a\nsecret/b\n"));
  isPassed(all);
  const [missing] = secretsFinding(["a", "b"], answered("secret/a\n"));
  isFailed(missing, /there is no b in the namespace/);
  isFailed(secretsFinding(["a"], FORBIDDEN)[0], /not known/);
});

const KUBECONFIG = {
  ...{ text: "{}", server: "https://c", context: "prod", user: "u", secrets: [] },
  ...{ problems: [], warnings: [] },
};
const NOW = new Date("2026-11-25T12:00:00Z");

test("tells_every_problem_of_the_kubeconfig_and_when_it_runs_out", () => {
  const problems = ["one", "two"];
  const bad = kubeconfigFindings({ ...KUBECONFIG, problems }, NOW);
  assert.equal(
    bad.map(({ ok, found }) => [ok, found]),
    problems.map((text) => [false, text]),
  );
  isPassed(kubeconfigFindings(KUBECONFIG, NOW)[0]);
  const soon = { ...KUBECONFIG, expires: new Date("2026-11-25T12:59:00Z") };
  isWarned(kubeconfigFindings(soon, NOW)[0], /less than an hour/);
  const later = { ...KUBECONFIG, expires: new Date("2026-11-26T12:00:00Z"), warnings: ["bad"] };
  const [first, second] = kubeconfigFindings(later, NOW);
  isPassed(first);
  isWarned(second, /bad/);
});

const GIVEN = {
  ...{ registry: "registry.example", repository: "iris", username: "ann", password: true },
  ...{ kubeConfig: true, tracking: "https://models.example", model: true },
};
const named = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((each) => each.check === check);

test("names_every_input_that_is_missing_by_its_variable", () => {
  const all = inputFindings(["deploy"], GIVEN);
  assert.ok(allOk(all) && all.every(({ warning }) => !warning));
  const none = inputFindings(["deploy"], {
    ...GIVEN,
    ...{ registry: undefined, kubeConfig: false, tracking: undefined, password: false },
  });
  isFailed(named(none, "REGISTRY_HOST"), /not set/);
  isFailed(named(none, "REGISTRY_USER, REGISTRY_TOKEN"), /ann, but no token/);
  isFailed(named(none, "KUBE_CONFIG_DATA"), /no cluster to go to/);
  isWarned(named(none, "MLFLOW_TRACKING_URI"), /nobody asks whether it is READY/);
  const token = inputFindings(["deploy"], { ...GIVEN, username: undefined });
  isFailed(named(token, "REGISTRY_USER, REGISTRY_TOKEN"), /not whose it is/);
});

test("asks_only_for_what_the_functions_need", () => {
  const nobody = { ...GIVEN, username: undefined, password: false, kubeConfig: false };
  const release = inputFindings(["release"], nobody);
  assert.is(named(release, "KUBE_CONFIG_DATA"), undefined);
  isWarned(named(release, "REGISTRY_USER, REGISTRY_TOKEN"), /nobody in particular/);
  const quiet = inputFindings(["deploy"], { ...GIVEN, tracking: undefined, model: false });
  assert.is(named(quiet, "MLFLOW_TRACKING_URI"), undefined);
});

test("refuses_functions_that_it_does_not_know", () => {
  assert.equal(readFunctions([]), ["deploy"]);
  assert.match(
    raises("USAGE", () => readFunctions(["relase"])),
    /did you mean "release"/,
  );
});

test("is_all_well_only_when_something_was_looked_at_and_nothing_failed", () => {
  assert.not.ok(allOk([]));
  assert.ok(allOk([passed("a", ""), warned("b", "")]));
  assert.not.ok(allOk([passed("a", ""), failed("b", "")]));
  assert.match(findingsTable([]), "NOT VALID: nothing was looked at");
});

test("shows_what_to_do_below_what_is_wrong", () => {
  const table = findingsTable([passed("a", "fine"), failed("bb", "wrong", "do it")]);
  assert.is(
    table,
    "a   ok      fine\nbb  FAILED  wrong\n            → do it\n\nNOT VALID: bb. Nothing was changed.\n",
  );
  assert.match(findingsTable([warned("a", "hm")]), "VALID, with 1 warning. Nothing was changed.");
  assert.match(findingsMarkdown("T", [failed("a|b", "<x>", "y")]), /\| ❌ \|/);
});

test.run();
