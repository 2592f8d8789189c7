import { bundleForBrowser, transferSizes, bytesByModule } from "../support/client-bundle.mjs";
const entries = {
  everything: `export * from "@tickwire/client";`,
  streams: `import { connect } from "@tickwire/client/streams"; const c = await connect("ws://x"); for await (const t of c.trades("a:b")) document.title = t.priceText;`,
  rpc: `import { connect } from "@tickwire/client/rpc"; const c = await connect("ws://x"); document.title = JSON.stringify(await c.rpc.getServerTime({}));`,
};
for (const [name, source] of Object.entries(entries)) {
  try {
    const chunk = await bundleForBrowser(source);
    console.log(name, transferSizes(chunk.code));
    if (name === process.argv[2])
      console.log(
        bytesByModule(chunk)
          .map((r) => r.bytes + "\t" + r.module)
          .join("\n"),
      );
  } catch (e) {
    console.log(name, String(e).slice(0, 300));
  }
}
