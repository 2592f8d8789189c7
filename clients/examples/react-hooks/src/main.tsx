import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { GatewayProvider } from "./market.tsx";

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://127.0.0.1:8080";
const instruments = query.get("instruments") ?? "simulated:BTC-USD,simulated:ETH-USD";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no #app");
createRoot(root).render(
  <StrictMode>
    <GatewayProvider url={gateway}>
      <App instruments={instruments.split(",")} />
    </GatewayProvider>
  </StrictMode>,
);
