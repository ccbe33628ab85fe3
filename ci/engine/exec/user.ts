/** Who a process runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, with the primary one. */
  readonly groups: readonly number[];
}

const NUMBER = /^\d{1,10}$/;

/**
 * Resolves `user` (`""`, `name|uid[:group|gid]`) against the contents of /etc/passwd and /etc/group,
 * as Dagger and Docker do: two numbers are taken as they are; an unknown number is a user of group 0;
 * supplementary groups count only when no group is named. Throws for names that are not there.
 */
export function resolveUser(user: string, passwd: string, group: string): ProcessUser {
  const [userPart, groupPart] = splitOnce(user === "" ? "0" : user, ":");
  if (NUMBER.test(userPart) && NUMBER.test(groupPart)) {
    return { uid: Number(userPart), gid: Number(groupPart), groups: [Number(groupPart)] };
  }
  const wantedUser = userPart === "" ? "0" : userPart;
  const account = records(passwd).find(
    ([name, , uid]) => name === wantedUser || uid === wantedUser,
  );
  if (account === undefined && !NUMBER.test(wantedUser)) {
    throw new Error(`unable to find user ${wantedUser}: no matching entries in passwd file`);
  }
  const uid = Number(account?.[2] ?? wantedUser);
  const groups = records(group);
  if (groupPart === "") {
    const gid = Number(account?.[3] ?? 0);
    const name = account?.[0];
    const extra = groups
      .filter((entry) => name !== undefined && (entry[3] ?? "").split(",").includes(name))
      .map((entry) => Number(entry[2]));
    return { uid, gid, groups: [...new Set([gid, ...extra])] };
  }
  const found = groups.find(([name, , gid]) => name === groupPart || gid === groupPart);
  if (found === undefined && !NUMBER.test(groupPart)) {
    throw new Error(`unable to find group ${groupPart}: no matching entries in group file`);
  }
  const gid = Number(found?.[2] ?? groupPart);
  return { uid, gid, groups: [gid] };
}

function records(file: string): string[][] {
  return file
    .split("\n")
    .map((line) => line.trim().split(":"))
    .filter((fields) => fields.length > 2 && NUMBER.test(fields[2] ?? ""));
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
