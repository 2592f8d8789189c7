import { createApp } from "vue";
import App from "./app.vue";
import { createGateway } from "./market.ts";

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://127.0.0.1:8080";
const instruments = query.get("instruments") ?? "simulated:BTC-USD,simulated:ETH-USD";

createApp(App, { instruments: instruments.split(",") })
  .use(createGateway(gateway))
  .mount("#app");
