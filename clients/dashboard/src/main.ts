// The first script of the page is small: it dials the gateway while the rest is on its way.
import "./link.ts";
import "./style/theme.css";
import "./style/layout.css";
import "./style/panels.css";

void import("./dashboard.ts");
