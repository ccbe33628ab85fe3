/**
 * Slipway: the delivery pipeline of a Python service
 *
 * Lints, types, tests and audits a Python project, builds it into a small non-root image and
 * publishes that by digest. Everything that is particular to a project is configuration:
 * [tool.slipway] in its pyproject.toml.
 */
import {
  argument,
  check,
  func,
  object,
  type Container,
  type Directory,
  type float,
  type Platform,
  type File,
  type Secret,
  type Service,
} from "@dagger.io/dagger";

import { Artifact } from "./artifact.js";
import { checkReport, type CheckReport } from "./checkReport.js";
import { deliveryObject, toldObject, type Delivery } from "./delivery.js";
import type { CheckName } from "./core/check.js";
import type { Ended } from "./core/delivery/process.js";
import { complaint, readReport } from "./core/report/report.js";
import { summary } from "./core/report/summary.js";
import { releaseObject, type Release } from "./release.js";
import { scanReport, type ScanReport } from "./scanReport.js";
import { buildImage } from "./stages/build.js";
import { checkNames, runChecks } from "./stages/checks.js";
import { loadContext, type Context } from "./stages/context.js";
import type { Access } from "./stages/delivery/open.js";
import type * as operations from "./stages/delivery/operations.js";
import { loginOf, publishImage, publishTarget } from "./stages/publish.js";
import { billOfMaterials, scan, subjectOf } from "./stages/scan.js";
import { validationReport, type ValidationReport } from "./validationReport.js";
import { verifyReport, type VerifyReport } from "./verifyReport.js";

type Operations = typeof operations;

/** The delivery pipeline of a Python service */
@object()
export class Slipway {
  private source: Directory;
  private folder: string;
  private set: string[];
  private environment: string[];
  private safetyKey?: Secret;
  private advisories?: Directory;
  private database?: Directory;
  private registry?: Service;

  constructor(
    /** The service's source */
    @argument({
      defaultPath: "/",
      ignore: [
        "**/.git",
        "**/.venv",
        "**/venv",
        "**/node_modules",
        "**/__pycache__",
        "**/*.pyc",
        "**/.mypy_cache",
        "**/.ruff_cache",
        "**/.pytest_cache",
        "**/.hypothesis",
        "**/.tox",
        "**/.nox",
        "**/.coverage",
        "**/htmlcov",
        "**/*.egg-info",
        "**/.env",
        "**/.env.*",
        "**/.DS_Store",
        ".slipway",
      ],
    })
    source: Directory,
    /** Folder of the service in the source, for a repository with several */
    folder = ".",
    /** Configuration that wins over all other, as key=value: test.workers=4 */
    set: string[] = [],
    /** The caller's environment, as NAME=value: a module sees none of its own */
    environment: string[] = [],
    /** Key for safety (SAFETY_API_KEY); without it that check is skipped */
    safetyKey?: Secret,
    /** Folder of OSV records of PyPI, one JSON file each, for pip-audit in place of a service */
    advisories?: Directory,
    /** Folder with trivy's database, trivy.db and metadata.json, in place of one that is downloaded */
    database?: Directory,
    /** The registry on this machine that references name as 127.0.0.1 or localhost: tcp://127.0.0.1:5000 */
    registry?: Service,
  ) {
    this.folder = folder;
    this.source = folder === "." ? source : source.directory(folder);
    this.set = set;
    this.environment = environment;
    if (safetyKey) this.safetyKey = safetyKey;
    if (advisories) this.advisories = advisories;
    if (database) this.database = database;
    if (registry) this.registry = registry;
  }

  /** Lint with ruff, in the version that the project locks */
  @func()
  @check()
  async lint(): Promise<void> {
    await this.assert("lint");
  }

  /** Check that ruff would format nothing differently */
  @func()
  @check()
  async format(): Promise<void> {
    await this.assert("format");
  }

  /** Check types with mypy, beside the project's dependencies */
  @func()
  @check()
  async types(): Promise<void> {
    await this.assert("types");
  }

  /** Run the tests with pytest, in parallel, and measure their coverage */
  @func()
  @check()
  async test(
    /** pytest-xdist workers: auto is one a core, 0 is serial */
    workers?: string,
    /** How tests are handed out: load, worksteal, loadscope, loadfile or loadgroup */
    distribution?: string,
    /** Further arguments for pytest */
    args?: string[],
    /** Marker expression, such as: not slow */
    markers?: string,
    /** Test files or folders to run */
    paths?: string[],
    /** Part i of n of the tests, such as 1/4, for matrix jobs */
    shard?: string,
    /** Fail below this coverage, in percent */
    coverageMinimum?: float,
  ): Promise<void> {
    const settings: Record<string, unknown> = {
      "test.workers": workers,
      "test.distribution": distribution,
      "test.args": args,
      "test.markers": markers,
      "test.paths": paths,
      "test.shard": shard,
      "test.coverage.minimum": coverageMinimum,
    };
    await this.assert("test", settings);
  }

  /** Look for insecure code with bandit */
  @func()
  @check()
  async bandit(): Promise<void> {
    await this.assert("bandit");
  }

  /** Look for advisories on the exact dependencies with pip-audit; asked anew within seven hours */
  @func({ cache: "1h" })
  @check()
  async pipAudit(): Promise<void> {
    await this.assert("pipAudit");
  }

  /** Look for advisories on the exact dependencies with safety; skipped without a key */
  @func({ cache: "1h" })
  @check()
  async safety(): Promise<void> {
    await this.assert("safety");
  }

  /** Run all checks side by side, let all of them finish, and report on all of them; kept for an hour */
  @func({ cache: "1h" })
  async checks(
    /** Only these: lint, format, types, test, bandit, pipAudit, safety */
    only: string[] = [],
    /** Any text: with a new one, what ended ERRORED is not kept but run again */

    attempt?: string,
    /** report.json of an earlier run: the page says what changed since */
    previous?: File,
  ): Promise<CheckReport> {
    const names = checkNames(only);
    const earlier = previous && readReport(await previous.contents());
    return checkReport(await runChecks(await this.load(), names, earlier));
  }

  /** Build the service's image: small, non-root, reproducible, with labels and a health check */
  @func()
  async build(
    /** Platform, such as linux/arm64; the engine's own by default */
    platform?: string,
    /** Commit that the source is of, for the labels */
    revision?: string,
    /** Where the source lives, for the labels */
    sourceUrl?: string,
  ): Promise<Container> {
    const context = await this.load();
    const facts = { revision, sourceUrl };
    return (await buildImage(context, facts, platform as Platform | undefined)).image;
  }

  /** Look for vulnerabilities, secrets and licenses with trivy, in the service's image by default */
  @func({ cache: "1h" })
  async scan(
    /** Another image */
    image?: Container,
    /** An image as an archive: OCI, or of docker save */
    tarball?: File,
    /** A folder with source and lock files */
    directory?: Directory,
  ): Promise<ScanReport> {
    const context = await this.load();
    return scanReport(
      await scan(context, await subjectOf(context, { image, tarball, directory })),
      context,
    );
  }

  /** The bill of materials of the service's image: its packages with versions and licenses */
  @func()
  async sbom(
    /** Its form: cyclonedx or spdx */
    format = "cyclonedx",
    /** Another image */
    image?: Container,
    /** An image as an archive: OCI, or of docker save */
    tarball?: File,
    /** A folder with source and lock files */
    directory?: Directory,
  ): Promise<File> {
    const context = await this.load();
    const subject = await subjectOf(context, { image, tarball, directory });
    return (await billOfMaterials(context, subject, format)).file;
  }

  /** Build the image, scan it (publish.scan), publish it under all its tags; a release tag keeps its content */
  @func({ cache: "never" })
  async publish(
    /** Where to, without a tag: registry.example/team/service; publish.registry and publish.repository by default */
    repository?: string,
    /** Tags; publish.tags by default, else the project's version */
    tags?: string[],
    /** Who publishes (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** Let a release tag (v1.2.3) be moved to other content */
    overwrite = false,
    /** Commit that the source is of, for the labels */
    revision?: string,
    /** Where the source lives, for the labels */
    sourceUrl?: string,
  ): Promise<Artifact> {
    const context = await this.load();
    const request = publishTarget(context, { repository, tags, username, password, overwrite });
    const published = await publishImage(context, request, { revision, sourceUrl });
    return Object.assign(new Artifact(), published);
  }

  /** Take the service from its source to tags on a verified image: checks, build, scan, push, sign, attest, verify, tags */
  @func({ cache: "never" })
  async release(
    /** Where to, without a tag: registry.example/team/service; publish.registry and publish.repository by default */
    repository?: string,
    /** Tags, given last and only to a verified image; publish.tags by default, else the project's version */
    tags?: string[],
    /** The private key to sign with, as cosign makes them (COSIGN_PRIVATE_KEY) */
    key?: Secret,
    /** The key's password (COSIGN_PASSWORD) */
    keyPassword?: Secret,
    /** In place of a key, one in a KMS: awskms://…, azurekms://…, gcpkms://…, hashivault://…, k8s://… */
    keyReference?: string,
    /** What opens the KMS, as lines NAME=value: AWS_*, AZURE_*, GOOGLE_*, VAULT_*, KUBECONFIG */
    keyCredentials?: Secret,
    /** In place of a key, an OIDC token (SIGSTORE_ID_TOKEN) */
    identityToken?: Secret,
    /** Where a job on GitHub asks for such tokens (ACTIONS_ID_TOKEN_REQUEST_URL) */
    requestUrl?: string,
    /** What the job shows there (ACTIONS_ID_TOKEN_REQUEST_TOKEN) */
    requestToken?: Secret,
    /** Who publishes (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** Let a release tag (v1.2.3) be moved to other content */
    overwrite = false,
    /** Commit that the source is of; GITHUB_SHA by default */
    revision?: string,
    /** Where the source lives; GitHub's repository by default */
    sourceUrl?: string,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
  ): Promise<Release> {
    const context = await this.load();
    const request = publishTarget(context, { repository, tags, username, password, overwrite });
    const signer = await (
      await import("./stages/signer.js")
    ).signerOf(context, {
      ...{ key, keyPassword, keyReference, keyCredentials },
      ...{ identityToken, requestUrl, requestToken },
    });
    const released = await (
      await import("./stages/release.js")
    ).release(context, request, { revision, sourceUrl }, signer, {
      token: modelToken,
      service: models,
    });
    return releaseObject(released);
  }

  /** Sign an image by its digest, with a key or as who one is (OIDC); one that is signed stays as it is */
  @func({ cache: "never" })
  async sign(
    /** The image: registry.example/team/service@sha256:… */
    reference = "",
    /** The private key, as cosign makes them (COSIGN_PRIVATE_KEY) */
    key?: Secret,
    /** The key's password (COSIGN_PASSWORD) */
    keyPassword?: Secret,
    /** In place of a key, one in a KMS: awskms://…, azurekms://…, gcpkms://…, hashivault://…, k8s://… */
    keyReference?: string,
    /** What opens the KMS, as lines NAME=value: AWS_*, AZURE_*, GOOGLE_*, VAULT_*, KUBECONFIG */
    keyCredentials?: Secret,
    /** In place of a key, an OIDC token (SIGSTORE_ID_TOKEN) */
    identityToken?: Secret,
    /** Where a job on GitHub asks for such tokens (ACTIONS_ID_TOKEN_REQUEST_URL) */
    requestUrl?: string,
    /** What the job shows there (ACTIONS_ID_TOKEN_REQUEST_TOKEN) */
    requestToken?: Secret,
    /** Who writes to the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
  ): Promise<string> {
    const context = await this.load();
    const target = { ...context, reference, login: loginOf(username, password) };
    const signer = await (
      await import("./stages/signer.js")
    ).signerOf(context, {
      ...{ key, keyPassword, keyReference, keyCredentials },
      ...{ identityToken, requestUrl, requestToken },
    });
    const added = await (
      await import("./stages/sign.js")
    ).sign(context, signer, target, { signed: true, predicates: [] });
    return added.length > 0
      ? `signed ${reference}`
      : `${reference} was signed ${signer.named} already`;
  }

  /** Attest something of an image by its digest: a predicate in a file, signed and put beside the image */
  @func({ cache: "never" })
  async attest(
    /** The image: registry.example/team/service@sha256:… */
    reference = "",
    /** What it is: provenance, sbom, vulnerabilities, tests or model */
    name = "",
    /** The predicate, JSON of the form that its type asks for */
    predicate?: File,
    /** The private key, as cosign makes them (COSIGN_PRIVATE_KEY) */
    key?: Secret,
    /** The key's password (COSIGN_PASSWORD) */
    keyPassword?: Secret,
    /** In place of a key, one in a KMS: awskms://…, azurekms://…, gcpkms://…, hashivault://…, k8s://… */
    keyReference?: string,
    /** What opens the KMS, as lines NAME=value: AWS_*, AZURE_*, GOOGLE_*, VAULT_*, KUBECONFIG */
    keyCredentials?: Secret,
    /** In place of a key, an OIDC token (SIGSTORE_ID_TOKEN) */
    identityToken?: Secret,
    /** Where a job on GitHub asks for such tokens (ACTIONS_ID_TOKEN_REQUEST_URL) */
    requestUrl?: string,
    /** What the job shows there (ACTIONS_ID_TOKEN_REQUEST_TOKEN) */
    requestToken?: Secret,
    /** Who writes to the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
  ): Promise<string> {
    const context = await this.load();
    const target = { ...context, reference, login: loginOf(username, password) };
    const text = await predicate?.contents();
    const what = (await import("./stages/sign.js")).readPredicate(name, text);
    const signer = await (
      await import("./stages/signer.js")
    ).signerOf(context, {
      ...{ key, keyPassword, keyReference, keyCredentials },
      ...{ identityToken, requestUrl, requestToken },
    });
    const added = await (
      await import("./stages/sign.js")
    ).sign(context, signer, target, { signed: false, predicates: [what] });
    return added.length > 0 ? `attested ${name} of ${reference}` : `${name} was attested already`;
  }

  /** Decide by the policy (verify in the configuration) whether an image may be believed; fail-closed */
  @func({ cache: "never" })
  async verify(
    /** The image, by digest or by tag */
    reference = "",
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
  ): Promise<VerifyReport> {
    const context = await this.load();
    const target = { ...context, reference, login: loginOf(username, password) };
    const given = await publicKey?.contents();
    const by = await (await import("./stages/verify.js")).verifierOf(context, given);
    const verified = await (await import("./stages/verify.js")).verifyImage(context, by, target);
    return verifyReport(reference, verified);
  }

  /** What is attested of an image and was found good: summary.md, evidence.json, the statements */
  @func({ cache: "never" })
  async evidence(
    /** The image, by digest or by tag */
    reference = "",
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
  ): Promise<Directory> {
    return (await this.verify(reference, publicKey, username, password)).evidence;
  }

  /** Look at everything that a deployment needs, touch nothing, and tell all that is wrong at once */
  @func({ cache: "never" })
  async validate(
    /** The image, by digest or tag; by default the project's version in publish.registry */
    reference = "",
    /** What is to be run: deploy (also for deployCanary and promote), release, rollback; deploy by default */
    functions: string[] = ["deploy"],
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** For release: the private key to sign with (COSIGN_PRIVATE_KEY) */
    key?: Secret,
    /** The key's password (COSIGN_PASSWORD) */
    keyPassword?: Secret,
    /** In place of a key, one in a KMS: awskms://…, azurekms://…, gcpkms://…, hashivault://…, k8s://… */
    keyReference?: string,
    /** What opens the KMS, as lines NAME=value: AWS_*, AZURE_*, GOOGLE_*, VAULT_*, KUBECONFIG */
    keyCredentials?: Secret,
    /** In place of a key, an OIDC token (SIGSTORE_ID_TOKEN) */
    identityToken?: Secret,
    /** Where a job on GitHub asks for such tokens (ACTIONS_ID_TOKEN_REQUEST_URL) */
    requestUrl?: string,
    /** What the job shows there (ACTIONS_ID_TOKEN_REQUEST_TOKEN) */
    requestToken?: Secret,
    /** Bearer token of analysis.prometheus, else of the only server of analysis.queries (METRICS_TOKEN) */
    metricsToken?: Secret,
  ): Promise<ValidationReport> {
    const context = await this.load();
    const { validateAll, readFunctions } = await import("./stages/delivery/validate.js");
    const findings = await validateAll(
      context,
      await this.access({ kubeConfig, cluster, publicKey, modelToken, models, metricsToken }),
      {
        ...{ reference, username, password },
        functions: readFunctions(functions),
        signer: {
          ...{ key, keyPassword, keyReference, keyCredentials },
          ...{ identityToken, requestUrl, requestToken },
        },
      },
    );
    return validationReport(findings);
  }

  /** What deploy would do: release, steps with the shares that are really reached, objects */
  @func({ cache: "never" })
  async plan(
    /** The image, by digest or tag; by default the project's version in publish.registry */
    reference = "",
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
  ): Promise<string> {
    const given = { kubeConfig, cluster, publicKey, username, password, modelToken, models };
    const { plan } = await import("./stages/delivery/operations.js");
    return await plan(await this.load(), await this.access(given), reference);
  }

  /** What deploy would change of the stable objects in the cluster, as kubectl diff shows it */
  @func({ cache: "never" })
  async diff(
    /** The image, by digest or tag; by default the project's version in publish.registry */
    reference = "",
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
  ): Promise<string> {
    const given = { kubeConfig, cluster, publicKey, username, password, modelToken, models };
    const { diff } = await import("./stages/delivery/operations.js");
    return await diff(await this.load(), await this.access(given), reference);
  }

  /** Bring an image to the cluster: verified, a canary step by step, analysed, promoted; what fails is taken back */
  @func({ cache: "never" })
  async deploy(
    /** The image, by digest or tag; by default the project's version in publish.registry */
    reference = "",
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** Bearer token of analysis.prometheus, else of the only server of analysis.queries (METRICS_TOKEN) */
    metricsToken?: Secret,
    /** Who does it, for the records */
    by = "",
    /** Id of this run: `abort` can be told to end this one alone */
    run = "",
  ): Promise<Delivery> {
    const given = {
      kubeConfig,
      cluster,
      publicKey,
      username,
      password,
      modelToken,
      models,
      metricsToken,
      by,
      run,
    };
    return await this.deliver(
      given,
      async (context, access, delivery) =>
        await delivery.deploy(context, access, reference, { kind: "whole" }),
    );
  }

  /** Bring an image as far as a canary that waits for `promote`: somebody can say yes or no in between */
  @func({ cache: "never" })
  async deployCanary(
    /** The image, by digest or tag; by default the project's version in publish.registry */
    reference = "",
    /** Weight to stop at, in percent; by default the last step below 100 */
    until?: float,
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** Bearer token of analysis.prometheus, else of the only server of analysis.queries (METRICS_TOKEN) */
    metricsToken?: Secret,
    /** Who does it, for the records */
    by = "",
    /** Id of this run: `abort` can be told to end this one alone */
    run = "",
  ): Promise<Delivery> {
    const given = {
      kubeConfig,
      cluster,
      publicKey,
      username,
      password,
      modelToken,
      models,
      metricsToken,
      by,
      run,
    };
    return await this.deliver(
      given,
      async (context, access, delivery) =>
        await delivery.deploy(context, access, reference, { kind: "canary", until }),
    );
  }

  /** Give a waiting canary what is left of its steps, then all requests, and make it the stable release */
  @func({ cache: "never" })
  async promote(
    /** The image that somebody said yes to, by digest: refused when another one waits */
    digest?: string,
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** Bearer token of analysis.prometheus, else of the only server of analysis.queries (METRICS_TOKEN) */
    metricsToken?: Secret,
    /** Who does it, for the records */
    by = "",
    /** Id of this run: `abort` can be told to end this one alone */
    run = "",
  ): Promise<Delivery> {
    const given = {
      kubeConfig,
      cluster,
      publicKey,
      username,
      password,
      modelToken,
      models,
      metricsToken,
      by,
      run,
    };
    return await this.deliver(
      given,
      async (context, access, delivery) => await delivery.promote(context, access, digest),
    );
  }

  /** Bring an earlier release back as it was recorded: image, manifests, configuration and model */
  @func({ cache: "never" })
  async rollback(
    /** A release's number, a tag or a digest; by default the last good one before the live one */
    targetTag?: string,
    /** Do not verify the image before; its signature may have been made with a key that is gone */
    skipVerification = false,
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** Who does it, for the records */
    by = "",
    /** Id of this run: `abort` can be told to end this one alone */
    run = "",
  ): Promise<Delivery> {
    const given = {
      kubeConfig,
      cluster,
      publicKey,
      username,
      password,
      modelToken,
      models,
      by,
      run,
    };
    return await this.deliver(
      given,
      async (context, access, delivery) =>
        await delivery.rollback(context, access, targetTag, { skipVerification }),
    );
  }

  /** End what is under way or waits: the requests go back to the live release, the canary is removed */
  @func({ cache: "never" })
  async abort(
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** Who does it, for the records */
    by = "",
    /** Only what the run with this id is at; what another one is at is left alone */
    run?: string,
    /** Only what is of this image, by digest; a release of another one is left alone */
    digest?: string,
    /** Leave a canary that waits for somebody; only what was left half-way is taken back */
    keepWaiting = false,
  ): Promise<Delivery> {
    const given = { kubeConfig, cluster, by };
    return await this.deliver(
      given,
      async (context, access, delivery) =>
        await delivery.abort(context, access, { run, digest, keepWaiting }),
    );
  }

  /** Look at the live release for a time, and roll it back when an analysis of it fails */
  @func({ cache: "never" })
  async watch(
    /** Seconds; deploy.watch by default */
    seconds?: float,
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
    /** The public key; by default whom verify.identity names, else verify.key of the project */
    publicKey?: File,
    /** Who reads the registry (REGISTRY_USER); goes with the password */
    username?: string,
    /** Password or token for the registry (REGISTRY_TOKEN) */
    password?: Secret,
    /** What opens the model registry: a token, or user:password (MLFLOW_TRACKING_TOKEN) */
    modelToken?: Secret,
    /** The model registry where it answers on this machine's loopback alone: tcp://127.0.0.1:5000 */
    models?: Service,
    /** Bearer token of analysis.prometheus, else of the only server of analysis.queries (METRICS_TOKEN) */
    metricsToken?: Secret,
    /** Who does it, for the records */
    by = "",
    /** Id of this run: `abort` can be told to end this one alone */
    run = "",
  ): Promise<Delivery> {
    const given = {
      kubeConfig,
      cluster,
      publicKey,
      username,
      password,
      modelToken,
      models,
      metricsToken,
      by,
      run,
    };
    return await this.deliver(
      given,
      async (context, access, delivery) =>
        await delivery.watch(context, access, seconds ?? context.config.deploy.watch),
    );
  }

  /** What is live, what is under way, and how the pods are */
  @func({ cache: "never" })
  async status(
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
  ): Promise<Delivery> {
    const context = await this.load();
    const access = await this.access({ kubeConfig, cluster });
    return toldObject(await (await import("./stages/delivery/observe.js")).status(context, access));
  }

  /** Every release that is kept in the cluster, the newest first */
  @func({ cache: "never" })
  async history(
    /** The cluster: a kubeconfig with everything in it, plain or base64 (KUBE_CONFIG_DATA) */
    kubeConfig?: Secret,
    /** The API server where it answers on this machine's loopback alone: tcp://127.0.0.1:6443 */
    cluster?: Service,
  ): Promise<Delivery> {
    const context = await this.load();
    const access = await this.access({ kubeConfig, cluster });
    return toldObject(
      await (await import("./stages/delivery/observe.js")).history(context, access),
    );
  }

  /** Show all of it on an example: release and deploy it to a k3s of its own, replace it, break it, see it taken back */
  @func({ cache: "never" })
  async demo(
    /** The example service */
    @argument({ defaultPath: "/examples/iris" })
    example: Directory,
    /** Where its images go, without a tag; ttl.sh by default, which anybody may read, and which forgets within a day */
    repository = "",
  ): Promise<string> {
    const { set, advisories, database, registry } = this;
    const given = { example, repository, set, advisories, database, registry };
    return await (await import("./stages/demo/demo.js")).demo(given);
  }

  /** Runs a delivery, which ends the caller's process with a number that says how it went. */
  private async deliver(
    given: Parameters<Slipway["access"]>[0],
    work: (context: Context, access: Access, delivery: Operations) => Promise<Ended>,
  ): Promise<Delivery> {
    const context = await this.load();
    const access = await this.access(given);
    const { concluded } = await import("./stages/delivery/conclude.js");
    const all = await import("./stages/delivery/operations.js");
    return deliveryObject(await concluded(context, async () => await work(context, access, all)));
  }

  /** How the cluster, the registry and the model registry are reached. */
  private async access(given: {
    readonly kubeConfig?: Secret | undefined;
    readonly cluster?: Service | undefined;
    readonly publicKey?: File | undefined;
    readonly username?: string | undefined;
    readonly password?: Secret | undefined;
    readonly modelToken?: Secret | undefined;
    readonly models?: Service | undefined;
    readonly metricsToken?: Secret | undefined;
    readonly by?: string | undefined;
    readonly run?: string | undefined;
  }): Promise<Access> {
    const { kubeConfig, cluster, by = "", run = "" } = given;
    return {
      ...{ kubeConfig, cluster },
      by: by === "" ? "somebody" : by,
      run: run === "" ? Math.random().toString(36).slice(2, 10) : run,
      login: loginOf(given.username, given.password),
      publicKey: await given.publicKey?.contents(),
      models: { token: given.modelToken, service: given.models },
      metricsToken: given.metricsToken,
    };
  }

  /** Runs one check and throws with what it found, unless it passed or was skipped. */
  private async assert(name: CheckName, settings: Record<string, unknown> = {}): Promise<void> {
    const { report } = await runChecks(await this.load(settings), [name]);
    if (report.state === "SKIPPED") {
      console.log(summary(report));
      return;
    }
    if (complaint(report) !== undefined) throw new Error(summary(report, { findings: 100 }));
  }

  /** What the stages work on. `settings` are arguments of the function: nothing is stronger. */
  private async load(settings: Record<string, unknown> = {}): Promise<Context> {
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    return await loadContext({
      source: this.source,
      folder: this.folder,
      set: [
        ...this.set,
        ...given.map(([key, value]) =>
          Array.isArray(value) ? `${key}=${JSON.stringify(value)}` : `${key}=${String(value)}`,
        ),
      ],
      environment: this.environment,
      safetyKey: this.safetyKey,
      advisories: this.advisories,
      database: this.database,
      registry: this.registry,
    });
  }
}
