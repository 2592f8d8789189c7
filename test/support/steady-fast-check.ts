/**
 * The library of properties with the same values in every run, so that a change is judged by what
 * it changes. Without CI in the environment each run tries other values; `npm run test:random`
 * tries many.
 */
import fc from "../../node_modules/fast-check/lib/fast-check.js";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 7 });

export * from "../../node_modules/fast-check/lib/fast-check.js";
export default fc;
