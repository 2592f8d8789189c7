import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Where a change is judged: the same values for properties, and a second attempt that is told. */
const isJudged = (process.env["CI"] ?? "") !== "";
const steady = fileURLToPath(new URL("test/support/steady-fast-check.ts", import.meta.url));

export default defineConfig({
  resolve: {
    conditions: ["source"],
    alias: isJudged ? [{ find: /^fast-check$/, replacement: steady }] : [],
  },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: ["{proto,clients,services,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: isJudged ? 1 : 0,
    reporters: ["default", "./test/support/second-attempts.ts"],
  },
});
