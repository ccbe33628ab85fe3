import type { Session } from "./session.js";

const PYTHON = "docker.io/library/python:3.13-slim";
const UV = "docker.io/astral/uv:0.13.9";

/** What `uv lock` writes for a project: lock files hold addresses, so none is kept in a repository. */
export async function uvLock(session: Session, project: string): Promise<string> {
  const uv = await session.query<{ container: { from: { file: { id: string } } } }>(
    `{ container { from(address: "${UV}") { file(path: "/uv") { id } } } }`,
  );
  const source = await session.directory(project);
  const { container } = await session.query<{
    container: { from: { withFile: Locked } };
  }>(
    `{ container { from(address: "${PYTHON}") { withFile(path: "/usr/local/bin/uv", source: ${JSON.stringify(uv.container.from.file.id)}) {
      withEnvVariable(name: "SSL_CERT_FILE", value: "/etc/ssl/certs/ca-certificates.crt") {
        withDirectory(path: "/src", source: ${JSON.stringify(source)}) { withWorkdir(path: "/src") {
          withExec(args: ["uv", "lock", "--quiet"]) { file(path: "uv.lock") { contents } }
    } } } } } } }`,
  );
  return container.from.withFile.withEnvVariable.withDirectory.withWorkdir.withExec.file.contents;
}

interface Locked {
  withEnvVariable: {
    withDirectory: { withWorkdir: { withExec: { file: { contents: string } } } };
  };
}
