/** A venue family is one folder, with the same file names in each; nobody else knows a venue. */

import { venueFolder } from "#test/support/venue-folder.ts";
import { isCode, isTest, type SourceFile } from "./source-files.ts";
import { referencesOf, resolveSpecifier } from "./specifiers.ts";
import { codeOf } from "./syntax.ts";

const VENUES_FOLDER = "services/ingest/venues/";
const DIALECTS_FOLDER = "test/support/dialects/";
const FIXTURES_FOLDER = "test/fixtures/venues/";

/** What a venue's folder may hold, and what each file is for. */
const FILE_NAMES: Readonly<Record<string, string>> = {
  adapter: "the contract: what the venue is, declared as far as it can be",
  instruments: "its list of instruments, and how symbols are mapped",
  requests: "what is sent to it",
  answers: "what acknowledges or refuses a request",
  decoder: "which message means what",
  scanner: "which frequent messages are read in their bytes",
  readings: "how each kind of message is read",
  fields: "the words and shapes that its messages share",
  rest: "what is asked for over REST",
  book: "what its books need beyond the shared rules",
};

/** A file of a family whose name is none of the list, or a family without a venue. */
export function checkVenueFile(file: SourceFile, venues: readonly string[]): string[] {
  if (!file.path.startsWith(VENUES_FOLDER)) return [];
  const parts = file.path.slice(VENUES_FOLDER.length).split("/");
  const name = parts.pop() ?? "";
  if (parts.length === 0) {
    return /^(registry(\.test)?|venue-ids)\.ts$/.test(name)
      ? []
      : [`${file.path} belongs into a family's folder`];
  }
  const folder = parts.join("/");
  const known = new Set(venues.map(venueFolder));
  const problems: string[] = [];
  if (!known.has(folder)) problems.push(`${file.path} lies in a folder that is no venue's`);
  const stem = name.replace(/\.ts$/, "");
  if (!Object.hasOwn(FILE_NAMES, stem) && !name.endsWith(".test.ts")) {
    problems.push(
      `${file.path} is none of a venue's files (${Object.keys(FILE_NAMES).join(", ")})`,
    );
  }
  return problems;
}

/** Imports from one venue family into another. What two families need is in `reading`. */
export function checkFamilies(file: SourceFile): string[] {
  const family = familyOf(file.path, VENUES_FOLDER);
  if (family === undefined || !isCode(file.path)) return [];
  return referencesOf(file).flatMap(({ specifier, line }) => {
    const { path = "" } = resolveSpecifier(file.path, specifier ?? "");
    const other = familyOf(path, VENUES_FOLDER);
    if (other === undefined || other === family) return [];
    return [`${file.path}:${line} imports from the family ${other}`];
  });
}

/**
 * Every venue has its adapter, its fixtures with their source, and its family's dialect. The
 * simulated market is a venue of ours, without a family.
 */
export function findMissingVenueFiles(
  files: readonly SourceFile[],
  venues: readonly string[],
): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return venues.flatMap((venue) => {
    const folder = venueFolder(venue);
    const [family = ""] = folder.split("/");
    const ofFamily = [
      `${VENUES_FOLDER}${folder}/adapter.ts`,
      `${DIALECTS_FOLDER}${family}/dialect.ts`,
    ];
    const ofSimulated = ["services/ingest/simulated/simulated.ts"];
    return [
      `${FIXTURES_FOLDER}${folder}/SOURCE.md`,
      ...(venue === "simulated" ? ofSimulated : ofFamily),
    ]
      .filter((path) => !paths.has(path))
      .map((path) => `${path} is missing for ${venue}`);
  });
}

/** Folders of dialects and fixtures that belong to no venue. */
export function checkVenueTestFile(file: SourceFile, venues: readonly string[]): string[] {
  const folders = venues.map(venueFolder);
  const fixture = folderBelow(file.path, FIXTURES_FOLDER);
  if (fixture !== undefined && !folders.includes(fixture)) {
    return [`${file.path} lies in a folder that is no venue's`];
  }
  const dialect = familyOf(file.path, DIALECTS_FOLDER);
  const families = folders.map((folder) => folder.split("/")[0]);
  if (dialect !== undefined && !families.includes(dialect)) {
    return [`${file.path} lies in a folder that is no family's`];
  }
  return [];
}

/** What drives every venue knows none by name. */
export function checkVenueNames(file: SourceFile, venues: readonly string[]): string[] {
  const isDriver = /^services\/ingest\/(feed|reading|venue)\//.test(file.path);
  if (!isDriver || isTest(file.path) || !isCode(file.path)) return [];
  const code = codeOf(file).toLowerCase();
  return venues
    .filter((venue) => new RegExp(`\\b${venue}\\b`).test(code))
    .map((venue) => `${file.path} names the venue ${venue}`);
}

function familyOf(path: string, folder: string): string | undefined {
  return folderBelow(path, folder)?.split("/")[0];
}

function folderBelow(path: string, folder: string): string | undefined {
  if (!path.startsWith(folder)) return undefined;
  const parts = path.slice(folder.length).split("/");
  return parts.length > 1 ? parts.slice(0, -1).join("/") : undefined;
}
