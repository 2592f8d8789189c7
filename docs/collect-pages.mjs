// Copies what is for readers into one folder, which the site is built of: the pages of the
// repository with their images, and the reference of the packages that TypeDoc has written.
//
//   node docs/collect-pages.mjs        writes docs/.pages
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const PAGES = join(import.meta.dirname, ".pages");

/** Folders of a checkout in which nothing is for the readers of the site. */
const NOT_FOR_READERS = /^(test|services|\.ci)\//;
const FOR_READERS = /\.(md|png|svg|jpg|webp)$/;

const listed = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
rmSync(PAGES, { recursive: true, force: true });
for (const file of listed.split("\0")) {
  if (!FOR_READERS.test(file) || NOT_FOR_READERS.test(file)) continue;
  mkdirSync(dirname(join(PAGES, file)), { recursive: true });
  cpSync(join(ROOT, file), join(PAGES, file));
}
cpSync(join(import.meta.dirname, "api"), join(PAGES, "docs/api"), { recursive: true });
