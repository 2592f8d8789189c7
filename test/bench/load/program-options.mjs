// The options of Node that the image of the gateway runs the program with: what is measured is to
// run with them too.
import { readFileSync } from "node:fs";
import { entrypointOf } from "../../support/entrypoint.mjs";

const file = new URL("../../../infra/docker/gateway.Dockerfile", import.meta.url);
const words = entrypointOf(readFileSync(file, "utf8"));

export const PROGRAM_OPTIONS = words.filter((word) => word.startsWith("--"));
