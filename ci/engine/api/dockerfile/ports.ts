import { EngineError } from "../../graph/errors.js";

export interface ExposedPort {
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** The ports that a word of EXPOSE names: `80`, `53/udp`, `8000-8005`; what is before a colon is a host's. */
export function exposedPorts(spec: string): ExposedPort[] {
  const [range = "", given = ""] = spec.slice(spec.lastIndexOf(":") + 1).split("/");
  const protocol = given === "" ? "tcp" : given.toLowerCase();
  if (range === "") throw new EngineError(`no port specified: ${spec}<empty>`);
  if (protocol === "sctp")
    throw new EngineError(
      `invalid exposed port ${JSON.stringify(spec)}: unsupported protocol "sctp"`,
    );
  if (protocol !== "tcp" && protocol !== "udp") throw new EngineError(`invalid proto: ${protocol}`);
  const [from = "", to = from] = range.split("-");
  const [first, last] = [number(from), number(to)];
  if (first === undefined || last === undefined || last < first) {
    throw new EngineError(`invalid containerPort: ${range}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    port: first + index,
    protocol: protocol === "tcp" ? "TCP" : "UDP",
  }));
}

function number(text: string): number | undefined {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65535 ? port : undefined;
}
