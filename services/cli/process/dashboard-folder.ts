import { fileURLToPath } from "node:url";

const FROM_SOURCES = new URL("../../../clients/dashboard/dist/", import.meta.url);
const FROM_BUILD = new URL("../../../../clients/dashboard/dist/", import.meta.url);

/** Where the page is built to, seen from the sources and from the build, which is one deeper. */
export function dashboardFolder(): string {
  const isBuild = import.meta.url.includes("/dist/services/");
  return fileURLToPath(isBuild ? FROM_BUILD : FROM_SOURCES);
}
