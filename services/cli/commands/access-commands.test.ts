// What `tickwire keys` and `tickwire token` say to bad input, without a process for each line.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { explainError } from "../process/errors.ts";
import { createProgram } from "../program.ts";

let folder: string;
let printed: { stdout: string; stderr: string };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-commands-"));
  printed = { stdout: "", stderr: "" };
  // Variables that tests are given are no settings of the program.
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("TICKWIRE_")) vi.stubEnv(name, undefined);
  }
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => path.join(folder, name);
const textOf = (name: string) => readFileSync(file(name), "utf8");
const modeOf = (name: string) => (statSync(file(name)).mode & 0o777).toString(8);
const write = (name: string, text: string) => writeFileSync(file(name), text);

/** What the program would end with, with the names of files in place of `@name`. */
async function run(line: string): Promise<{ readonly status: number; readonly said: string }> {
  const args = line.split(" ").map((word) => word.replace(/^@/, `${folder}/`));
  try {
    await (await createProgram(args)).parseAsync(args, { from: "user" });
    return { status: 0, said: printed.stderr };
  } catch (error) {
    const { exitCode, line: said = "" } = explainError(error);
    return { status: exitCode, said: `${printed.stderr}${said}` };
  }
}

async function runWell(line: string): Promise<void> {
  expect(await run(line)).toMatchObject({ status: 0 });
}

test.each<[string, number, string]>([
  ["keys add --role all", 2, "--file"],
  ["keys add --file @a.json", 2, "--role"],
  ["keys add --file @a.json --role trader", 1, "there is no role trader; "],
  ["keys add --file @a.json --role all --expires 2020-01-01", 2, "is over already"],
  ["keys add --file @a.json --role all --expires soon", 2, "write 90d"],
  ["keys add --file @a.json --role all --name ", 2, "--name takes 1 to 200 characters"],
  ["keys add --file @broken.json --role all", 1, "is not JSON"],
  ["keys add --file @none/a.json --role all", 1, "its folder is not there"],
  ["keys list --file @none.json", 1, "there is no file"],
  ["keys revoke --file @a.json", 2, "name one of"],
  ["keys revoke abc --jti x --file @a.json", 2, "name one of"],
  ["keys revoke abcdefghijkl --file @a.json", 1, "`tickwire keys list` shows"],
  ["keys revoke twk_abcdefghijkl_short --file @a.json", 2, "its id follows on twk_"],
  [`keys revoke --sub ${"x".repeat(201)} --file @a.json`, 2, "--sub takes 1 to 200"],
  ["keys revoke --jti x --file @a.json --publish --set bus.kind=memory", 2, "kind nats"],
  [
    "keys revoke --jti x --file @a.json --publish --set bus.nats.servers=nats://127.0.0.1:1",
    1,
    "connection refused",
  ],

  ["token new-key --private-file @own.json --key-set @broken.json", 1, "is not JSON"],
  ["token new-key --private-file @own.json --key-set @odd.json", 1, "its keys are no list"],
  ["token new-key --private-file @own.json --key-set @no/set.json", 1, "folder is not there"],
  ["token new-key --private-file @there.json --key-set @set.json", 1, "is there already"],
  ["token new-key --algorithm none --private-file @o.json --key-set @s.json", 2, "ES256"],
  ["token make --key @none.json --sub x", 1, "there is no file"],
  ["token make --key @broken.json --sub x", 1, "is not JSON"],
  ["token make --key @there.json --sub x", 1, "is no key that new-key has made"],
  ["token make --key @public.json --sub x", 1, "cannot sign"],
  ["token make --key @there.json --sub ", 2, "--sub takes 1 to 200"],
  ["token make --key @there.json --sub x --expires 0h", 2, "is over at once"],
  ["token make --key @there.json --sub x --expires 1y", 2, "write 15m or 12h"],
])("%s ends with %i: %s", async (line, status, text) => {
  write("a.json", "{}");
  write("broken.json", '{"keys":[{"kty":"oct","k":"SECRET-KEY"');
  write("odd.json", '{"keys":{}}');
  write("there.json", "{}");
  write("public.json", '{"kty":"EC","crv":"P-256","x":"AA","y":"AA","alg":"ES256"}');
  const { status: found, said } = await run(line);
  expect({ found, printed: printed.stdout, said }).toEqual({
    found: status,
    printed: "",
    said: expect.stringContaining(text),
  });
  for (const hidden of ["SECRET", "_short", ".new"]) expect(said).not.toContain(hidden);
  // What failed changes nothing, and leaves no half of a pair.
  expect(existsSync(file("own.json"))).toBe(false);
  for (const name of ["a.json", "there.json"]) {
    const isKept = textOf(name) === "{}";
    expect([name, isKept || line.includes("--publish")]).toEqual([name, true]);
  }
});

test("of tokens that are revoked a jti stands in the file once, and a sub with its latest time", async () => {
  write("a.json", "{}");
  await runWell("keys revoke --jti t1 --file @a.json");
  await runWell("keys revoke --jti t1 --file @a.json");
  await runWell("keys revoke --sub desk --file @a.json");
  const [, first] = (JSON.parse(textOf("a.json")) as { revoked: { issuedBefore: string }[] })
    .revoked;
  await runWell("keys revoke --sub desk --file @a.json");
  const { revoked } = JSON.parse(textOf("a.json")) as { revoked: { issuedBefore: string }[] };
  expect(revoked).toMatchObject([{ jti: "t1" }, { sub: "desk" }]);
  expect(Date.parse(revoked[1]?.issuedBefore ?? "")).toBeGreaterThan(
    Date.parse(first?.issuedBefore ?? ""),
  );
});

test("a secret in a key set keeps it from others, whichever key comes after it", async () => {
  await runWell("token new-key --algorithm EdDSA --private-file @a.json --key-set @set.json");
  expect(modeOf("set.json")).toBe("644");
  await runWell("token new-key --algorithm HS256 --private-file @b.json --key-set @set.json");
  expect(modeOf("set.json")).toBe("600");
  await runWell("token new-key --algorithm RS256 --private-file @c.json --key-set @set.json");
  expect(modeOf("set.json")).toBe("600");
  const { keys } = JSON.parse(textOf("set.json")) as { keys: { alg: string }[] };
  expect(keys.map(({ alg }) => alg)).toEqual(["EdDSA", "HS256", "RS256"]);
});

test("as JSON, keys and tokens are told with what is known of them", async () => {
  write("a.json", "{}");
  const printedJson = async (line: string): Promise<unknown> => {
    printed.stdout = "";
    await runWell(line);
    return JSON.parse(printed.stdout);
  };
  const added = (await printedJson(
    "keys add --file @a.json --role all --name desk --expires 90d --json",
  )) as { readonly id: string; readonly key: string };
  const iso = expect.stringMatching(/^\d{4}-.*Z$/) as string;
  expect(added).toEqual({
    key: expect.stringMatching(`^twk_${added.id}_`) as string,
    id: added.id,
    name: "desk",
    roles: ["all"],
    createdTime: iso,
    expiresTime: iso,
  });
  const revoke = `keys revoke ${added.id} --file @a.json --json`;
  const revoked = { kind: "key", id: added.id, isPublished: false };
  expect(await printedJson(revoke)).toEqual({ ...revoked, isNew: true });
  expect(await printedJson(revoke)).toEqual({ ...revoked, isNew: false });

  const keys = "--private-file @own.json --key-set @set.json";
  const made = (await printedJson(`token new-key --algorithm EdDSA ${keys} --json`)) as object;
  expect(made).toMatchObject({ algorithm: "EdDSA", privateFile: file("own.json") });
  expect(JSON.parse(textOf("set.json"))).toMatchObject({
    keys: [{ kid: (made as { kid: string }).kid }],
  });
  const signed = await printedJson("token make --key @own.json --sub desk-3 --role all --json");
  expect(signed).toMatchObject({
    token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/) as string,
    claims: { sub: "desk-3", aud: "tickwire", roles: ["all"] },
  });
  const { d } = JSON.parse(textOf("own.json")) as { readonly d: string };
  expect(JSON.stringify([made, signed])).not.toContain(d);
});
