import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const PORT = Number(process.env["PORT"] ?? 9000);

/** What is served, by how its path begins: these pages, and the packages of the import map. */
const FOLDERS = {
  "/client/": new URL("./", import.meta.resolve("@tickwire/client")),
  "/proto/": new URL("../", import.meta.resolve("@tickwire/proto/model")),
  "/": new URL("./", import.meta.url),
};

/** @type {Record<string, string>} */
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const server = createServer((request, response) => {
  fileOf(request.url ?? "/").then(
    ({ bytes, type }) =>
      response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(bytes),
    () => response.writeHead(404).end(),
  );
});

/**
 * Rejects if there is no such file.
 *
 * @param {string} target
 */
async function fileOf(target) {
  // The path of a URL has no `..` any more, so that nothing outside of the folders is reached.
  const { pathname } = new URL(target, "http://page");
  const path = pathname === "/" ? "/index.html" : pathname;
  const [start, folder] = Object.entries(FOLDERS).find(([name]) => path.startsWith(name)) ?? [];
  const type = TYPES[extname(path)];
  if (folder === undefined || type === undefined) throw new Error(`${path} is not served`);
  return { bytes: await readFile(new URL(`./${path.slice(start?.length)}`, folder)), type };
}

server.listen(PORT, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : PORT;
  process.stdout.write(
    `http://127.0.0.1:${port}/ and http://127.0.0.1:${port}/event-source.html\n`,
  );
});
